import { setTimeout as sleep } from 'node:timers/promises'

/** No run of a case takes longer. */
const RUN_MS = 600_000
/** A group settles in less, also where a broker has just started. */
const REBALANCE_MS = 60_000
/** Looking more often would take time from what is measured. */
const STATUS_MS = 2000

export type Config = Readonly<Record<string, string>>

export interface Status {
  readonly connector: { readonly state: string; readonly worker_id: string; readonly trace?: string }
  readonly tasks: readonly {
    readonly id: number
    readonly state: string
    readonly worker_id: string
    readonly trace?: string
  }[]
}

async function call(url: string, method: string, path: string, body?: unknown): Promise<Response> {
  const init: RequestInit = { method, headers: { 'content-type': 'application/json' } }
  if (body !== undefined) init.body = JSON.stringify(body)
  return fetch(`${url}${path}`, init)
}

export async function createConnector(url: string, name: string, config: Config): Promise<void> {
  for (const deadline = performance.now() + REBALANCE_MS; ; ) {
    const response = await call(url, 'POST', '/connectors', { name, config })
    if (response.status === 201) {
      await response.body?.cancel()
      return
    }
    const text = await response.text()
    // A rebalance in progress is a 409 on both sides.
    if (response.status !== 409 || performance.now() > deadline)
      throw new Error(`POST ${name}: ${response.status} ${text}`)
    await sleep(20)
  }
}

export async function deleteConnector(url: string, name: string): Promise<void> {
  for (const deadline = performance.now() + REBALANCE_MS; performance.now() < deadline; ) {
    const response = await call(url, 'DELETE', `/connectors/${name}`)
    await response.body?.cancel()
    if (response.status !== 409) return
    await sleep(20)
  }
}

export async function put(url: string, path: string): Promise<number> {
  const response = await call(url, 'PUT', path)
  await response.body?.cancel()
  return response.status
}

export async function status(url: string, name: string): Promise<Status | null> {
  const response = await call(url, 'GET', `/connectors/${name}/status`)
  if (response.status !== 200) {
    await response.body?.cancel()
    return null
  }
  return (await response.json()) as Status
}

/** Whether the connector and at least so many tasks run, none of them on the dead worker. */
export function isRunning(found: Status | null, tasks: number, dead?: string): boolean {
  if (!found) return false
  const failed = found.tasks.find((task) => task.state === 'FAILED')
  if (failed) throw new Error(`a task FAILED: ${failed.trace ?? ''}`)
  const all = [found.connector, ...found.tasks]
  return found.tasks.length >= tasks && all.every((each) => each.state === 'RUNNING' && each.worker_id !== dead)
}

/** Polls until the condition holds; returns the milliseconds it took. */
export async function waitFor(what: string, condition: () => Promise<boolean>, deadlineMs = 120_000): Promise<number> {
  const started = performance.now()
  while (!(await condition())) {
    if (performance.now() - started > deadlineMs) throw new Error(`not in ${deadlineMs} ms: ${what}`)
    await sleep(10)
  }
  return performance.now() - started
}

/** `waitFor` what a connector does, which ends at once when one of its tasks has failed. */
export async function waitForConnector(
  url: string,
  name: string,
  what: string,
  condition: () => Promise<boolean>,
): Promise<number> {
  let looked = performance.now()
  const conditionOrFailure = async () => {
    if (performance.now() - looked > STATUS_MS) {
      isRunning(await status(url, name), 1)
      looked = performance.now()
    }
    return condition()
  }
  return waitFor(what, conditionOrFailure, RUN_MS)
}

export async function runsWithin(url: string, name: string, tasks = 1): Promise<number> {
  return waitFor(`${name} runs`, async () => isRunning(await status(url, name), tasks))
}
