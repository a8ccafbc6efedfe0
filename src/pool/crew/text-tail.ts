/** How much of a worker's last words is kept. */
const TAIL_BYTES = 4096;

/** Keeps the end of a text that comes in pieces. */
export class TextTail {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
    while (this.#bytes - (this.#pieces[0] as Buffer).byteLength >= TAIL_BYTES)
      this.#bytes -= (this.#pieces.shift() as Buffer).byteLength;
  }

  toString(): string {
    const all = Buffer.concat(this.#pieces);
    return all.subarray(Math.max(0, all.byteLength - TAIL_BYTES)).toString();
  }
}
