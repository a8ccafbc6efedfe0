/** Child of the child_process.fork row; ends by itself, for nothing listens on its channel. */
process.send?.('x');
