import { isConnectError, type SinkConnector } from '@millrace/sdk'
import { type Check, type CheckResult, expectThat, messageOf, notApplicable, runChecks } from './check.ts'
import { type ConnectorCheck, connectorChecks } from './connector-checks.ts'
import { pause } from './deadline.ts'
import { claimedGuarantee } from './guarantee.ts'
import { leakCheck } from './leaks.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { memoryUse } from './memory.ts'
import type { SinkOptions } from './options.ts'
import { type Seeded, seeded } from './seeded.ts'
import { evolvedRecord } from './sink-topic.ts'
import { PARTITIONS, type SinkSubject, SinkTrial } from './sink-trial.ts'

/** The checks of a sink. */
export type SinkCheck =
  | ConnectorCheck
  | 'delivery'
  | 'start-stop'
  | 'commit'
  | 'kill'
  | 'duplicates'
  | 'rebalance'
  | 'back-pressure'
  | 'outage'
  | 'tombstones'
  | 'schema-evolution'
  | 'bad-records'

/** The checks of a sink, to be run one by one. */
export function sinkChecks(definition: SinkConnector, options: SinkOptions): readonly Check<SinkCheck>[] {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const claimed = claimedGuarantee(options, 'sink', definition.name)
  const subject: SinkSubject = { definition, options, limits, seed: options.seed ?? 1, claimed }
  const check = (name: SinkCheck, title: string, run: (subject: SinkSubject) => Promise<void>) => ({
    name,
    title,
    run: () => run(subject),
  })
  return [
    ...connectorChecks(definition, options, () => options.open('testkit-events')),
    check('delivery', 'what is put is in the target, in order', delivery),
    check('start-stop', `${limits.starts} starts and stops leave nothing behind`, startStop),
    check('commit', 'an offset may be committed only when its record is in the target', commit),
    check('kill', 'after an end at any moment, nothing is missing in the target', kill),
    check('duplicates', 'records that come again do to the target what the guarantee says', duplicates),
    check('rebalance', 'partitions that move in mid batch lose nothing', rebalance),
    check('back-pressure', 'what is put faster than it is written does not gather without bound', backPressure),
    check('outage', 'while the target is away, put waits or fails with a RetriableError', outage),
    check('tombstones', 'records without a value are taken, or refused as bad records', tombstones),
    check('schema-evolution', 'records of a later shape are written', evolution),
    check('bad-records', 'a bad record is reported, or thrown as a DataError, and the others arrive', badRecords),
  ]
}

/** Runs all checks of a sink; what has no result is never left out. */
export function runSinkChecks(definition: SinkConnector, options: SinkOptions): Promise<readonly CheckResult[]> {
  return runChecks(sinkChecks(definition, options), options.notApplicable)
}

async function delivery(subject: SinkSubject): Promise<void> {
  await using trial = await SinkTrial.open(subject)
  trial.append(subject.limits.events)
  const run = await trial.run()
  // A worker calls `put` with nothing, too, which some sinks take as their clock.
  await run.put([])
  await run.drain()
  await run.stop()
  await trial.expectTarget()
}

async function startStop(subject: SinkSubject): Promise<void> {
  await using trial = await SinkTrial.open(subject)
  await leakCheck(subject.limits, async (round) => {
    const run = await trial.newRun()
    await run.start([0, 1])
    if (round % 2 === 1) {
      trial.append(1)
      await run.deliver()
    }
    await run.stop()
    return run.task
  })
}

async function commit(subject: SinkSubject): Promise<void> {
  await using trial = await SinkTrial.open(subject)
  const run = await trial.run()
  for (let batch = 0; batch < subject.limits.events; batch++) {
    trial.append(2)
    await run.deliver()
    await run.commit()
    await trial.expectCommitted()
  }
  await run.drain()
  await trial.expectTarget()
}

async function kill(subject: SinkSubject): Promise<void> {
  const { kills, events } = subject.limits
  const { module } = subject.options
  const random = seeded(subject.seed)
  const end = module ? await endsInProcesses(subject, module, random) : abandons(subject, random)
  for (let round = 0; round < kills; round++) {
    await using trial = await SinkTrial.open(subject)
    let when = ''
    try {
      for (let lives = 1 + random.below(2); lives > 0; lives--) {
        trial.append(events)
        when += ` ${await end(trial)}`
        await trial.system.abandoned?.()
      }
      await (await trial.run()).drain()
      await trial.expectTarget()
    } catch (error) {
      throw new Error(`round ${round} of seed ${subject.seed}, ended${when}: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** Ends a life of a task, and says where. */
type End = (trial: SinkTrial) => Promise<string>

/** Lives in processes are killed at any await point that an undisturbed one has. */
async function endsInProcesses(subject: SinkSubject, module: URL, random: Seeded): Promise<End> {
  await using undisturbed = await SinkTrial.open(subject)
  undisturbed.append(subject.limits.events)
  const points = await undisturbed.liveInProcess(module, subject.seed, 0)
  await undisturbed.expectTarget()
  return async (trial) => {
    const endAt = 1 + random.below(points)
    await trial.liveInProcess(module, random.below(2 ** 31), endAt)
    return `at await point ${endAt} of ${points}`
  }
}

/** In this process a task can only be left alone between its calls. */
function abandons({ limits }: SinkSubject, random: Seeded): End {
  return async (trial) => {
    const run = await trial.run()
    const steps = random.below(limits.events)
    for (let step = 0; step < steps; step++) {
      if (random.below(3) > 0) await run.deliver(1 + random.below(3))
      else await run.commit()
    }
    return `after ${steps} steps`
  }
}

async function duplicates(subject: SinkSubject): Promise<void> {
  await using trial = await SinkTrial.open(subject)
  const records = trial.append(subject.limits.events)
  const first = await trial.run()
  await first.drain()
  // The answer of `put` was lost on the way: the same task gets the same batch again.
  await first.put(records)
  await first.stop()
  // The commit was lost on the way: another task gets everything again.
  trial.committed.clear()
  trial.append(subject.limits.events)
  const second = await trial.run()
  await second.drain()
  await trial.expectTarget()
}

async function rebalance(subject: SinkSubject): Promise<void> {
  const { events } = subject.limits
  await using trial = await SinkTrial.open(subject)
  trial.append(events * 2)
  const first = await trial.run()
  await first.deliver(Math.ceil(events / 2))
  await first.close([1])
  const second = await trial.run([1])
  await second.deliver(1)
  await first.deliver(1)
  await second.drain()
  await first.drain()
  trial.append(events)
  await second.deliver(1)
  await second.stop()
  await first.open([1])
  await first.drain()
  await trial.expectTarget()
}

/** Records of one batch while the target is flooded. */
const BATCH = 25

async function backPressure(subject: SinkSubject): Promise<void> {
  const { floodEvents, floodEventBytes } = subject.limits
  await using trial = await SinkTrial.open(subject)
  trial.append(floodEvents, undefined, floodEventBytes)
  const run = await trial.run()
  await expectBounded(subject, async (watch) => {
    while (!run.isAtEnd) {
      await run.deliver(BATCH)
      await watch()
    }
  })
  await run.drain()
  await trial.expectTarget()
}

/** Fails when memory grows to half of what comes in. */
async function expectBounded(
  { limits }: SinkSubject,
  work: (watch: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const flood = limits.floodEvents * limits.floodEventBytes
  const before = await memoryUse()
  let calls = 0
  await work(async () => {
    if (++calls % 5 !== 0) return
    const grown = (await memoryUse()) - before
    const told = `${Math.round(grown / 1e6)} MB of ${Math.round(flood / 1e6)} MB of records are in memory`
    expectThat(grown < flood / 2, `put takes more and more: ${told}`)
  })
}

/** A put that takes longer than this while the target is away is one that waits for it. */
const PATIENCE_MS = 500
const REFUSALS = 3

async function outage(subject: SinkSubject): Promise<void> {
  await using trial = await SinkTrial.open(subject)
  const { system } = trial
  if (!system.outage || !system.restore) notApplicable('the system of the checks has no `outage`')
  trial.append(subject.limits.events)
  const run = await trial.run()
  await run.drain()
  trial.append(subject.limits.events)
  await system.outage()
  let refused = 0
  const tries = async () => {
    for (let puts = 0; puts < 20 && refused < REFUSALS; puts++) await run.deliver(BATCH, () => refused++)
  }
  const trying = tries()
  try {
    await Promise.race([trying, pause(PATIENCE_MS)])
  } catch (error) {
    throw new Error(`while the target was away put failed for good: ${messageOf(error)}`, { cause: error })
  } finally {
    await system.restore()
  }
  await trying
  await run.drain()
  await trial.expectTarget()
}

async function tombstones(subject: SinkSubject): Promise<void> {
  const expected = subject.options.tombstones
  await using trial = await SinkTrial.open(subject)
  trial.append(subject.limits.events)
  const run = await trial.run()
  await run.drain()
  const tombstone = trial.appendTombstone()
  trial.append(1)
  await run.drain()
  const isReported = run.reported.some(({ record }) => record === tombstone)
  if (expected === 'refuse') expectThat(isReported, 'a record without a value was not reported as a bad record')
  else expectThat(expected === undefined || !isReported, 'a record without a value was reported as a bad record')
  await trial.expectTarget()
}

async function evolution(subject: SinkSubject): Promise<void> {
  const { record, evolved } = subject.options
  if (record && !evolved) notApplicable('the options have a `record`, but no `evolved` one')
  await using trial = await SinkTrial.open(subject)
  trial.append(subject.limits.events)
  const run = await trial.run()
  await run.drain()
  trial.append(subject.limits.events, evolved ?? evolvedRecord)
  // Producers are not replaced all at once: records of the earlier shape come after those of the later one.
  trial.append(1)
  await run.drain()
  expectThat(run.reported.length === 0, () => `a record was reported as bad: ${run.reported[0]?.error.message}`)
  await trial.expectTarget()
}

async function badRecords(subject: SinkSubject): Promise<void> {
  const { bad } = subject.options
  if (!bad) notApplicable('the options have no `bad` record')
  await using trial = await SinkTrial.open(subject)
  trial.append(subject.limits.events)
  const poison = trial.appendUnexpected(bad)
  trial.append(subject.limits.events)
  const run = await trial.run()
  await run.drain()
  const others = run.reported.filter(({ record }) => record !== poison)
  expectThat(others.length === 0, () => `a good record was reported as bad: ${others[0]?.error.message}`)
  expectThat(
    run.reported.length === 1,
    `the bad record was reported ${run.reported.length} times: give it to errantRecordReporter once`,
  )
  await trial.expectTarget()
  await expectThrown(subject, bad)
}

/** Without a queue the bad record fails the task, by an error that says so. */
async function expectThrown(subject: SinkSubject, bad: NonNullable<SinkOptions['bad']>): Promise<void> {
  await using trial = await SinkTrial.open(subject)
  trial.append(1)
  trial.appendUnexpected(bad)
  const run = await trial.run(
    Array.from({ length: PARTITIONS }, (_, partition) => partition),
    false,
  )
  const error = await run.drain().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expectThat(error !== undefined, 'without a dead letter queue a bad record passed without a word')
  const isData = isConnectError(error) && error.code === 'DATA'
  expectThat(isData, () => `a bad record has to throw a DataError, it threw ${messageOf(error)}`)
}
