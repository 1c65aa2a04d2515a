import { afterAll, beforeAll } from 'vitest'
import { type MillraceBroker, startMillraceBroker } from '../../services/millrace.ts'
import { startTestWorker, type TestWorker } from '../worker-harness.ts'

/** A broker and a worker for the tests of a block. */
export interface TestRuntime {
  readonly broker: MillraceBroker
  readonly worker: TestWorker
}

/** Starts them before the tests and stops them behind; offsets are committed often. */
export function useWorker(properties: Readonly<Record<string, string>> = {}): TestRuntime {
  let broker: MillraceBroker
  let worker: TestWorker
  beforeAll(async () => {
    broker = await startMillraceBroker()
    worker = await startTestWorker(broker.bootstrapServers, { 'offset.flush.interval.ms': '200', ...properties })
  })
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
  })
  return {
    get broker() {
      return broker
    },
    get worker() {
      return worker
    },
  }
}
