/** What each pool's worker throws; see ../error-table.mjs. */
export class QuotaError extends TypeError {
  constructor(message, options) {
    super(message, options);
    this.name = 'QuotaError';
    this.code = 'E_QUOTA';
  }
}

const THROWN = {
  subclass: () => new QuotaError('over quota', { cause: new RangeError('disk is full') }),
  bigint: () => Object.assign(new QuotaError('over quota'), { used: 2n ** 64n }),
  aggregate: () => new AggregateError([new TypeError('first'), new Error('second')], 'all failed'),
  text: () => 'only a text',
  object: () => ({ status: 404, tags: ['a'] }),
};

export function throwIt(kind) {
  throw THROWN[kind]();
}

export default throwIt;
