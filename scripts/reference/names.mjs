// Comments name what the doors export (`{@link UsageError}`), also in files that do not import it, where typedoc finds no symbol.
// Here it is looked up among all that is exported: at the same door first, then at any other.
import { ReflectionKind } from 'typedoc';

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.addUnknownSymbolResolver((reference, from, part) => {
    const path = reference.symbolReference?.path?.map(({ path }) => path);
    // Without a part it is a type that is asked for, not a link in a comment.
    if (part === undefined || path === undefined || reference.moduleSource !== undefined) return undefined;
    const doors = from.project.getChildrenByKind(ReflectionKind.Module);
    const own = doors.find((door) => isWithin(from, door));
    for (const door of own === undefined ? doors : [own, ...doors]) {
      const found = door.getChildByName(path);
      if (found !== undefined) return { target: found };
    }
    return undefined;
  });
}

function isWithin(reflection, door) {
  for (let at = reflection; at !== undefined; at = at.parent) if (at === door) return true;
  return false;
}
