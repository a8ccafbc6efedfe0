/** Changes the bytes it is sent, and sends them back. */
process.on('message', ({ bytes, round }: { bytes: Uint8Array; round: number }) => {
  bytes[round] = 1;
  process.send?.(bytes);
});
