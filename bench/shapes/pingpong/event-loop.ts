import type { Mode, Observation } from '../../runner/plan.js';
import { tripsOf } from './counts.js';
import { tripMetrics } from './trips.js';

/** A channel whose both ends live in an event loop. */
export interface LoopChannel {
  readonly send: (value: number) => void;
  /** Called with every message of the other side. */
  readonly onMessage: (listener: (value: number) => void) => void;
}

/** Sends a number, waits for it to come back, sends the next from the same callback: no promise in between. */
export function observeLoopTrips(mode: Mode, channel: LoopChannel): Promise<Observation> {
  const { warmUp, measured } = tripsOf(mode);
  const micros: number[] = [];
  return new Promise((resolve, reject) => {
    let trip = 0;
    let started = performance.now();
    channel.onMessage((value) => {
      const now = performance.now();
      if (value !== trip) {
        reject(new Error(`trip ${trip} came back as ${value}.`));
        return;
      }
      if (trip >= warmUp) micros.push((now - started) * 1_000);
      trip++;
      if (trip === warmUp + measured) {
        resolve(tripMetrics(micros));
        return;
      }
      started = performance.now();
      channel.send(trip);
    });
    started = performance.now();
    channel.send(trip);
  });
}
