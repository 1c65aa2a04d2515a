import type { SourceConnector } from '@millrace/sdk'
import { type Check, type CheckResult, expectThat, messageOf, notApplicable, runChecks } from './check.ts'
import { connectorChecks, type ConnectorCheck } from './connector-checks.ts'
import { pause } from './deadline.ts'
import { identityOf } from './identity.ts'
import { loadClients } from './kafka-clients.ts'
import { leakCheck } from './leaks.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { memoryUse } from './memory.ts'
import { OffsetStore } from './offset-store.ts'
import type { SourceOptions } from './options.ts'
import { onlyTaskConfig } from './connector-tasks.ts'
import { sourceRecordMisfit } from './record-shape.ts'
import { type Seeded, seeded } from './seeded.ts'
import { SourceRun } from './source-run.ts'
import { isLossy, type SourceSubject, SourceTrial } from './source-trial.ts'
import { claimedGuarantee } from './guarantee.ts'

/** The checks of a source. */
export type SourceCheck =
  | ConnectorCheck
  | 'records'
  | 'start-stop'
  | 'stop-while-polling'
  | 'resume'
  | 'kill'
  | 'back-pressure'
  | 'outage'
  | 'tombstones'
  | 'schema-evolution'

/** The checks of a source, to be run one by one. */
export function sourceChecks(definition: SourceConnector, options: SourceOptions): readonly Check<SourceCheck>[] {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const subject: SourceSubject = {
    definition,
    options,
    limits,
    seed: options.seed ?? 1,
    claimed: claimedGuarantee(options, 'source', definition.name),
    reference: once(() => referenceOf(subject)),
  }
  const check = (name: SourceCheck, title: string, run: (subject: SourceSubject) => Promise<void>) => ({
    name,
    title,
    run: () => run(subject),
  })
  return [
    ...connectorChecks(definition, options, () => options.open()),
    check('records', 'records fit their schemas and their offsets can be stored', recordsFit),
    check('start-stop', `${limits.starts} starts and stops leave nothing behind`, startStop),
    check('stop-while-polling', 'a task stops while a poll waits', stopWhilePolling),
    isLossy(subject)
      ? check('resume', 'after a stop at any record, what happens then comes, and nothing comes again', resume)
      : check('resume', 'after a stop at any record, everything behind its offset comes, in order', resume),
    isLossy(subject)
      ? check('kill', 'after an end at any moment, what happens then comes, and nothing comes again', kill)
      : check('kill', 'after an end at any moment, nothing is lost and the order holds', kill),
    check('back-pressure', 'a task that is not polled does not gather records', backPressure),
    check('outage', 'while the system is away, polls wait or fail with a RetriableError', outage),
    check('tombstones', 'what is removed gives records without a value', tombstones),
    check(
      'schema-evolution',
      'a change of the shape of data passes, each record with a schema that it fits',
      evolution,
    ),
  ]
}

/** Runs all checks of a source; what has no result is never left out. */
export function runSourceChecks(definition: SourceConnector, options: SourceOptions): Promise<readonly CheckResult[]> {
  return runChecks(sourceChecks(definition, options), options.notApplicable)
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

/** The first records of an undisturbed run, with which other runs are compared. */
async function referenceOf(subject: SourceSubject): Promise<readonly string[]> {
  const { definition, limits, options } = subject
  const system = await options.open()
  const config = await onlyTaskConfig(definition, system.config, options.kafka)
  const clients = await loadClients(options.kafka)
  const run = new SourceRun(definition, config, { store: new OffsetStore(), clients, limits })
  try {
    await run.start()
    const ids: string[] = []
    const end = performance.now() + limits.deadlineMs
    while (ids.length < limits.events && !run.finished) {
      const records = await run.poll()
      ids.push(...records.map(options.identify ?? identityOf))
      await run.acknowledge(records.length)
      expectThat(performance.now() < end, `an undisturbed run gave only ${ids.length} records`)
    }
    expectThat(ids.length > 0, 'the source has nothing to read and options have no `produce`')
    expectThat(new Set(ids).size === ids.length, 'records cannot be told from each other: give `identify`')
    return ids.slice(0, limits.events)
  } finally {
    await Promise.allSettled([run.stop()])
    await system.close?.()
  }
}

async function recordsFit(subject: SourceSubject): Promise<void> {
  await using trial = await SourceTrial.open(subject)
  await trial.produce(subject.limits.events)
  const records = await trial.drain(await trial.run())
  for (const record of records) {
    const problem = sourceRecordMisfit(record)
    expectThat(problem === undefined, `${problem}`)
  }
}

async function startStop(subject: SourceSubject): Promise<void> {
  await using trial = await SourceTrial.open(subject)
  await trial.produce(subject.limits.events)
  await leakCheck(subject.limits, async (round) => {
    const run = await trial.newRun()
    await run.start()
    if (round % 2 === 1) await run.beginPoll()
    await run.stop()
    return run.task
  })
}

async function stopWhilePolling(subject: SourceSubject): Promise<void> {
  await using trial = await SourceTrial.open(subject)
  await trial.produce(subject.limits.events)
  const run = await trial.run()
  await trial.drain(run)
  await run.beginPoll()
  await run.stop()
}

function expectNoRepeat(subject: SourceSubject, trial: SourceTrial, when: string): void {
  if (subject.claimed === 'at-least-once') return
  expectThat(trial.repeated === undefined, () => `${trial.repeated} came again ${when}: not ${subject.claimed}`)
}

async function resume(subject: SourceSubject): Promise<void> {
  const { events } = subject.limits
  for (let prefix = 0; prefix <= events; prefix++) {
    await using trial = await SourceTrial.open(subject)
    await trial.produce(events)
    const when = `after a stop with the offsets of ${prefix} records committed`
    try {
      await stopAfter(subject, trial, prefix)
      await expectMore(subject, trial)
      await trial.drain(await trial.run())
      expectNoRepeat(subject, trial, when)
    } catch (error) {
      throw new Error(`${when}: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** A source that may lose is asked for what happens from now on, and for nothing that it gave already. */
async function expectMore(subject: SourceSubject, trial: SourceTrial): Promise<void> {
  if (!isLossy(subject)) return
  trial.letGo()
  await trial.produce(subject.limits.events)
}

/** Runs a task until so many records are acknowledged; the rest of its last batch never is. */
async function stopAfter(subject: SourceSubject, trial: SourceTrial, prefix: number): Promise<void> {
  const run = await trial.run()
  const end = performance.now() + subject.limits.deadlineMs
  for (let left = prefix; left > 0 && !run.finished; ) {
    const records = await trial.poll(run)
    const count = Math.min(left, records.length)
    await trial.acknowledge(run, count)
    left -= count
    expectThat(performance.now() < end, `only ${prefix - left} records came in time`)
  }
  trial.forgetOpen()
  await run.stop()
}

async function kill(subject: SourceSubject): Promise<void> {
  const { kills, events } = subject.limits
  const { module, identify } = subject.options
  const random = seeded(subject.seed)
  // A process knows only what can be written into its file.
  const end = module && !identify ? await endsInProcesses(subject, module, random) : abandons(subject, random)
  for (let round = 0; round < kills; round++) {
    await using trial = await SourceTrial.open(subject)
    await trial.produce(events)
    let when = ''
    try {
      for (let lives = 1 + random.below(2); lives > 0; lives--) {
        when += ` ${await end(trial)}`
        await trial.system.abandoned?.()
        await expectMore(subject, trial)
      }
      await trial.drain(await trial.run())
      expectNoRepeat(subject, trial, 'after it was committed')
    } catch (error) {
      throw new Error(`round ${round} of seed ${subject.seed}, ended${when}: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** Ends a life of a task, and says where. */
type End = (trial: SourceTrial) => Promise<string>

/** Lives in processes are killed at any await point that an undisturbed one has. */
async function endsInProcesses(subject: SourceSubject, module: URL, random: Seeded): Promise<End> {
  await using undisturbed = await SourceTrial.open(subject)
  await undisturbed.produce(subject.limits.events)
  const points = await undisturbed.liveInProcess(module, subject.seed, 0)
  const missing = undisturbed.missing()
  expectThat(missing.length === 0, () => `in a process that was not killed ${missing.length} records never came`)
  return async (trial) => {
    const endAt = 1 + random.below(points)
    await trial.liveInProcess(module, random.below(2 ** 31), endAt)
    return `at await point ${endAt} of ${points}`
  }
}

/** In this process a task can only be left alone, between its calls or with a poll that waits. */
function abandons({ limits }: SourceSubject, random: Seeded): End {
  return async (trial) => {
    const run = await trial.run()
    // Acknowledgements come later than the polls that gave the records, as from a log.
    const steps = random.below(limits.events * 2)
    for (let step = 0; step < steps && !run.finished; step++) {
      if (random.below(3) > 0) await trial.poll(run)
      else await trial.acknowledge(run, random.below(run.openRecords + 1))
    }
    if (random.below(2) === 0) await run.beginPoll()
    trial.forgetOpen()
    return `after ${steps} steps`
  }
}

const WATCHED_MS = 400
const WATCHES = 8

async function backPressure(subject: SourceSubject): Promise<void> {
  const { floodEvents, floodEventBytes } = subject.limits
  const limit = (floodEvents * floodEventBytes) / 2
  await using trial = await SourceTrial.open(subject)
  await trial.produce(floodEvents, floodEventBytes)
  const before = await memoryUse()
  const run = await trial.run()
  const end = performance.now() + subject.limits.deadlineMs
  while ((await trial.poll(run)).length === 0) expectThat(performance.now() < end, 'no record came in time')
  for (let watch = 0; watch < WATCHES; watch++) {
    await pause(WATCHED_MS / WATCHES)
    const grown = (await memoryUse()) - before
    expectThat(
      grown < limit,
      () =>
        `after one poll memory grew by ${Math.round(grown / 1e6)} MB of the ${Math.round((limit * 2) / 1e6)} there are`,
    )
  }
  await trial.acknowledge(run, run.openRecords)
  await trial.drain(run)
}

async function outage(subject: SourceSubject): Promise<void> {
  await using trial = await SourceTrial.open(subject)
  const { system } = trial
  if (!system.outage || !system.restore) notApplicable('the system of the checks has no `outage`')
  await trial.produce(subject.limits.events)
  const run = await trial.run()
  await trial.drain(run)
  await system.outage()
  try {
    for (let polls = 0; polls < 5; polls++) await trial.acknowledge(run, (await trial.poll(run)).length)
  } catch (error) {
    throw new Error(`while the system was away a poll failed for good: ${messageOf(error)}`, { cause: error })
  } finally {
    await system.restore()
  }
  if (isLossy(subject)) await trial.listen(run)
  await trial.produce(subject.limits.events)
  await trial.drain(run)
}

async function tombstones(subject: SourceSubject): Promise<void> {
  await using trial = await SourceTrial.open(subject)
  const { system } = trial
  if (!system.remove) notApplicable('the system of the checks has no `remove`')
  const events = await trial.produce(subject.limits.events)
  const run = await trial.run()
  const early = await trial.drain(run)
  const gone = events.slice(0, 2)
  await system.remove(gone)
  const end = performance.now() + subject.limits.deadlineMs
  for (let found = early.filter(({ value }) => value === null).length; found < gone.length; ) {
    // Not by the trial, which would miss the order of the things that are gone.
    const records = await run.poll()
    await run.acknowledge(records.length)
    for (const record of records) {
      const problem = sourceRecordMisfit(record)
      expectThat(record.value === null || problem === undefined, `${problem}`)
      if (record.value === null) found++
    }
    expectThat(performance.now() < end, `${gone.length} things were removed, ${found} records without a value came`)
  }
}

async function evolution(subject: SourceSubject): Promise<void> {
  await using trial = await SourceTrial.open(subject)
  const { system } = trial
  if (!system.evolve) notApplicable('the system of the checks has no `evolve`')
  await trial.produce(subject.limits.events)
  const run = await trial.run()
  const records = [...(await trial.drain(run))]
  await system.evolve()
  await trial.produce(subject.limits.events)
  records.push(...(await trial.drain(run)))
  for (const record of records) {
    const problem = sourceRecordMisfit(record)
    expectThat(problem === undefined, `${problem}`)
  }
}
