/** Sends back whatever comes, until the channel closes. */
process.on('message', (value) => process.send?.(value));
process.send?.('ready');
