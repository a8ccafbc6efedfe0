// Hosts, one engine and one caller, as a closed queueing network: the engine is one server that all chunks pass, each host has so many
// processes, and only so many chunks are under way. Event by event, without chance: chunks take their mean times.

/**
 * @param {object} setting
 * @param {number} setting.hosts
 * @param {number} setting.processes of each host
 * @param {number} setting.itemMs time of one item in its process
 * @param {number} setting.items of a chunk
 * @param {number} setting.engineMs time of the engine for one chunk, on its one thread
 * @param {number} setting.engineUsPerByte time of the engine for one byte of a chunk
 * @param {number} setting.bytes of a chunk, there and back
 * @param {number} setting.callerMs time of the caller for one chunk
 * @param {number} setting.callers
 * @param {number} setting.engines queues on servers of their own
 * @param {number} [setting.chunks] how many are played
 */
export function simulate(setting) {
  const { hosts, processes, itemMs, items, engineMs, engineUsPerByte, bytes, callerMs } = setting;
  const { callers = 1, engines = 1 } = setting;
  const slots = hosts * processes;
  const underWay = slots * 2 + 2;
  const chunks = setting.chunks ?? Math.max(2000, slots * 6);
  const engineTime = engineMs + (bytes * engineUsPerByte) / 1000;
  const workers = new Float64Array(slots);
  const engineFree = new Float64Array(engines);
  const callerFree = new Float64Array(callers);
  // Chunks enter as others leave: a ring of the times at which the last ones left.
  const left = new Float64Array(underWay);
  let end = 0;
  let busy = 0;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const caller = chunk % callers;
    const engine = chunk % engines;
    const entered = Math.max(left[chunk % underWay], callerFree[caller]);
    callerFree[caller] = entered + callerMs;
    const queued = Math.max(callerFree[caller], engineFree[engine]);
    engineFree[engine] = queued + engineTime;
    let slot = chunk % slots;
    if (slots <= 64) for (let i = 0; i < slots; i++) if (workers[i] < workers[slot]) slot = i;
    const begun = Math.max(engineFree[engine], workers[slot]);
    workers[slot] = begun + items * itemMs;
    left[chunk % underWay] = workers[slot];
    busy += items * itemMs;
    end = Math.max(end, workers[slot]);
  }
  const perSecond = (chunks * 1000) / end;
  return {
    itemsPerSecond: perSecond * items,
    chunksPerSecond: perSecond,
    /** Share of the time in which processes run items. */
    efficiency: busy / (end * slots),
    engineLoad: Math.min(1, (perSecond * engineTime) / 1000 / engines),
  };
}

/** Hosts that one engine feeds before processes wait for it, by the same figures. */
export function saturation({ processes, itemMs, items, engineMs, engineUsPerByte, bytes }) {
  const engineTime = engineMs + (bytes * engineUsPerByte) / 1000;
  return Math.floor((items * itemMs) / engineTime / processes);
}
