import type { BrokerServices } from '../broker-services.ts'
import type { ClientConnection } from '../network/client-connection.ts'
import { discard, type FetchLimits, type FetchPass, fetchedLog, fetchPass } from './fetch-pass.ts'
import type { FetchPartition } from './fetch-sessions.ts'

/** A client may ask to wait as long as it likes; the broker looks again after this time at the latest. */
const WAIT_MAX_MS = 300_000

/**
 * Waits until a fetch has `minBytes`, an error, or waited long enough. The logs say when there is more to read; many
 * appends of one turn of the event loop lead to one look.
 */
export function delayedFetch(
  broker: BrokerServices,
  connection: ClientConnection,
  partitions: readonly FetchPartition[],
  limits: FetchLimits,
  wait: { readonly minBytes: number; readonly maxWaitMs: number },
): Promise<FetchPass> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = []
    let looking = false
    let done = false
    const finish = (pass: FetchPass) => {
      done = true
      broker.deadlines.cancel(deadline)
      connection.onceClosed = undefined
      for (const stop of stops) stop()
      resolve(pass)
    }
    const look = () => {
      looking = false
      if (done) return
      const pass = fetchPass(broker, partitions, limits)
      if (pass.bytes >= wait.minBytes || pass.hasError) finish(pass)
      else discard(broker, pass)
    }
    const advanced = () => {
      if (looking || done) return
      looking = true
      queueMicrotask(look)
    }
    const maxWaitMs = Math.min(wait.maxWaitMs, WAIT_MAX_MS)
    const deadline = broker.deadlines.add(maxWaitMs, () => finish(fetchPass(broker, partitions, limits)))
    connection.onceClosed = () => finish({ answers: [], bytes: 0, hasError: false, memory: [] })
    for (const asked of partitions) {
      const log = fetchedLog(broker, asked, limits.byId)
      if (typeof log !== 'number') stops.push(log.onAdvance(advanced))
    }
  })
}
