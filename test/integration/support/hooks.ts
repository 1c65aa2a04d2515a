// What the tests of a file share: services for all of them, and tasks that end with the test that started them.
import type { SinkTask, SourceTask } from '@millrace/sdk'
import { afterAll, beforeAll } from 'vitest'

/** A service that runs while the tests of the block do, unless it cannot be had. */
export function useService<S extends { stop(): Promise<unknown> }>(start: () => Promise<S>, isThere = true): () => S {
  let service: S | undefined
  beforeAll(async () => {
    if (isThere) service = await start()
  })
  afterAll(async () => {
    await service?.stop()
  })
  return () => {
    if (service === undefined) throw new Error('the service does not run')
    return service
  }
}

/** The tasks that a test has started. */
export class RunningTasks {
  readonly #tasks: (SinkTask | SourceTask)[] = []

  add<T extends { readonly task: SinkTask | SourceTask }>(started: T): T {
    this.#tasks.push(started.task)
    return started
  }

  /** Stops them, each once. */
  async stop(): Promise<void> {
    for (const task of this.#tasks.splice(0)) await task.stop?.()
  }
}
