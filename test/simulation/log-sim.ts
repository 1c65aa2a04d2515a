import { type Logger, seededRandom, silentLogger } from '../../src/base/index.ts'
import { CacheBudget, CommitSyncer, DEFAULT_LOG_CONFIG, Log, type LogConfig } from '../../src/log/index.ts'
import { LogModel } from './log-model.ts'
import { IN_FLIGHT_MAX, type InFlight, SimProducer } from './log-producer.ts'
import { drain, SimClock } from './sim-clock.ts'
import { SimDisk } from './sim-disk.ts'
import { check, InvariantBroken, type Simulation, type SimResult, streamStart } from './simulation.ts'

/** What a seed draws. Whole kinds of faults are often off, so that the others get far (swarm testing). */
interface Options {
  readonly steps: number
  readonly flush: 'commit' | 'os'
  readonly segmentBytes: number
  readonly indexIntervalBytes: number
  readonly flushMessages: number
  readonly cacheBytes: number
  readonly producers: number
  readonly maxRecords: number
  readonly maxValueBytes: number
  readonly crashRate: number
  readonly powerFailures: boolean
  readonly flipRate: number
  /** Epochs have two witnesses, the checkpoint and the batches: only one of them gets damaged. */
  readonly flipEpochs: boolean
  readonly shortRead: number
  readonly writeError: number
  readonly syncError: number
  readonly lostSectors: number
  readonly tornSectors: boolean
  readonly deleteRate: number
  readonly lostAnswers: number
}

const DIRECTORY = '/data/topic-0'
const TRACE_LENGTH = 40

function drawOptions(random: { next(): number }): Options {
  const pick = <T>(...values: T[]): T => values[Math.floor(random.next() * values.length)]!
  return {
    steps: pick(60, 120, 200),
    flush: pick('commit', 'commit', 'os'),
    segmentBytes: pick(2_000, 8_000, 30_000, 1_000_000),
    indexIntervalBytes: pick(100, 1000, 4096),
    flushMessages: pick(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 20),
    cacheBytes: pick(1, 20_000, 10_000_000),
    producers: pick(1, 2, 4),
    maxRecords: pick(1, 5, 20),
    maxValueBytes: pick(10, 200, 1500),
    crashRate: pick(0, 0.02, 0.08),
    powerFailures: pick(false, true, true),
    flipRate: pick(0, 0, 0, 0.02),
    shortRead: pick(0, 0, 0.2),
    writeError: pick(0, 0, 0.03),
    syncError: pick(0, 0, 0, 0.02),
    lostSectors: pick(0, 0.1, 0.5, 1),
    tornSectors: pick(false, true),
    deleteRate: pick(0, 0.02),
    lostAnswers: pick(0, 0.2),
    flipEpochs: pick(false, true),
  }
}

/** How the simulation opens its log; the positive control opens a broken one. */
export type OpenLog = typeof Log.open

class LogSimulation {
  readonly options: Options
  readonly trace: string[] = []
  readonly stats: Record<string, number> = {}
  readonly #random
  readonly #clock = new SimClock()
  readonly #disk: SimDisk
  readonly #model = new LogModel()
  readonly #producers: SimProducer[]
  readonly #openLog: OpenLog
  #log: Log
  #checkpoint = { recoveryPoint: 0, logStartOffset: 0 }
  /** Bits were turned over since the last time the whole log was read and found right. */
  #damaged = false
  #leaderEpoch = 0
  #generation = 0

  constructor(seed: number, openLog: OpenLog) {
    this.#random = seededRandom(streamStart(seed))
    for (let i = 0; i < 8; i++) this.#random.next()
    // A stream of their own: an option that is added changes no other one.
    this.options = drawOptions(seededRandom(streamStart(seed, 0x85ebca6b)))
    const { shortRead, writeError, syncError, lostSectors, tornSectors } = this.options
    const faults = { shortRead, writeError, syncError, lostSectors, tornSectors }
    this.#disk = new SimDisk(this.#random, this.#clock, faults)
    this.#disk.mkdir(DIRECTORY)
    this.#openLog = openLog
    this.#producers = Array.from({ length: this.options.producers }, (_, i) => new SimProducer(i - 1, this.#random))
    this.#log = this.#open(true)
  }

  get #config(): LogConfig {
    const { segmentBytes, indexIntervalBytes, flush, flushMessages } = this.options
    const base = { ...DEFAULT_LOG_CONFIG, segmentBytes, indexIntervalBytes, flush, flushMessages }
    return { ...base, retentionMs: Number.POSITIVE_INFINITY, timestampAfterMaxMs: Number.POSITIVE_INFINITY }
  }

  #open(cleanShutdown: boolean): Log {
    const logger: Logger = silentLogger
    this.#generation++
    return this.#openLog(
      { topic: 'topic', partition: 0, directory: DIRECTORY, config: this.#config, cleanShutdown, ...this.#checkpoint },
      {
        disk: this.#disk,
        clock: this.#clock,
        random: this.#random,
        logger,
        syncer: new CommitSyncer(),
        cacheBudget: new CacheBudget(this.options.cacheBytes),
        producerExpirationMs: Number.MAX_SAFE_INTEGER,
      },
    )
  }

  #note(line: string): void {
    this.trace.push(`${this.#clock.monotonicMs().toFixed(1)} ${line}`)
    if (this.trace.length > TRACE_LENGTH) this.trace.shift()
  }

  #count(name: string): void {
    this.stats[name] = (this.stats[name] ?? 0) + 1
  }

  #chance(probability: number): boolean {
    return this.#random.next() < probability
  }

  async run(): Promise<void> {
    for (let step = 0; step < this.options.steps; step++) await this.#step()
    await this.#liveness()
  }

  async #step(): Promise<void> {
    const { crashRate, flipRate, deleteRate } = this.options
    if (this.#chance(crashRate)) return this.#crash()
    if (this.#chance(crashRate / 2)) return this.#restart()
    if (this.#chance(flipRate)) return this.#flip()
    if (this.#chance(deleteRate)) return this.#deleteRecords()
    if (this.#chance(0.02)) this.#checkpoint.recoveryPoint = this.#log.recoveryPoint
    if (this.#chance(0.03)) this.#leaderEpoch++
    const kind = this.#random.next()
    if (kind < 0.6) this.#produce()
    else if (kind < 0.8) this.#read()
    else if (kind < 0.88) this.#lookUpTime()
    else await this.#clock.advance(this.#random.next() * 20)
  }

  #produce(): void {
    const producer = this.#producers[Math.floor(this.#random.next() * this.#producers.length)]!
    const mustResend = producer.inFlight.length >= IN_FLIGHT_MAX || producer.inFlight.some((batch) => batch.refused)
    if (mustResend || (producer.inFlight.length > 0 && this.#chance(0.1))) {
      this.#resend(producer)
      return
    }
    const { maxRecords, segmentBytes } = this.options
    const maxValueBytes = Math.max(
      1,
      Math.min(this.options.maxValueBytes, Math.floor((segmentBytes * 0.7) / maxRecords) - 40),
    )
    this.#send(producer, producer.next(this.#clock.now(), maxRecords, maxValueBytes))
  }

  /** Sends everything again that was not heard of, in order, as a client does after a time-out. */
  #resend(producer: SimProducer): void {
    for (const batch of producer.inFlight.slice()) {
      if (!this.#send(producer, batch)) return
    }
  }

  #send(producer: SimProducer, batch: InFlight): boolean {
    const bytes = Buffer.from(batch.bytes)
    const result = this.#log.append(bytes, { leaderEpoch: this.#leaderEpoch })
    if (result.error) {
      this.#count(result.error)
      this.#note(`${producer.name} ${batch.sequence}+${batch.count}: ${result.error}`)
      batch.refused = true
      this.#refused(producer, batch, result.error)
      return false
    }
    this.#note(
      `${producer.name} ${batch.sequence}+${batch.count} at ${result.baseOffset}${result.duplicate ? ' again' : ''}`,
    )
    batch.refused = false
    this.#count(result.duplicate ? 'duplicates' : 'appends')
    if (result.duplicate) {
      const index = this.#model.indexOf(result.baseOffset)
      const known = this.#model.batches[index]
      // Invariant 6: a repetition is answered with the place of the first time, also when that is deleted since.
      const isThat = known?.producer === nameOf(producer, batch)
      const isDeleted = this.#promisesAreWeak && result.lastOffset < this.#log.logStartOffset
      check(isThat || isDeleted, `duplicate at ${result.baseOffset} is not that batch`)
    } else {
      const producerName = nameOf(producer, batch)
      const first = this.#model.batches.find((other) => producer.isIdempotent && other.producer === producerName)
      // What lay below the start of the log may be forgotten where promises are weak; everything else is known.
      const forgotten = first && this.#promisesAreWeak && first.lastOffset < this.#log.logStartOffset
      check(!first || forgotten, `${producerName} is in the log twice`)
      const { timestamps } = batch
      this.#model.add({
        baseOffset: result.baseOffset,
        lastOffset: result.lastOffset,
        bytes,
        timestamps,
        producer: producerName,
        acked: false,
      })
    }
    this.#awaitAck(producer, batch, result.lastOffset)
    return true
  }

  #refused(producer: SimProducer, batch: InFlight, error: string): void {
    if (error === 'KAFKA_STORAGE_ERROR') {
      check(this.options.writeError > 0 || this.options.syncError > 0, 'a storage error without a fault')
      return
    }
    // What was deleted together with its segment may be forgotten.
    const known = this.#model.batches.find((other) => other.producer === nameOf(producer, batch))
    const deleted = known !== undefined && known.lastOffset < this.#log.logStartOffset
    const mayForget = this.#promisesAreWeak || deleted
    check(error === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && mayForget, `${nameOf(producer, batch)} was refused: ${error}`)
    producer.bumpEpoch()
  }

  /** Whether a seed may lose what was acknowledged: the page cache with the power, anything with damaged bits. */
  get #promisesAreWeak(): boolean {
    return (this.options.flush === 'os' && this.options.powerFailures) || this.options.flipRate > 0
  }

  #awaitAck(producer: SimProducer, batch: InFlight, lastOffset: number): void {
    const generation = this.#generation
    const isLost = this.#chance(this.options.lostAnswers)
    const acknowledge = () => {
      // A promise of a process that is gone is heard by nobody.
      if (generation !== this.#generation) return
      const known = this.#model.batches[this.#model.indexOf(lastOffset)]
      if (known) known.acked = true
      if (!isLost) producer.hear(batch)
    }
    const committed = this.#log.whenCommitted(lastOffset + 1)
    if (committed) committed.then(acknowledge, () => this.#count('failedCommits'))
    else acknowledge()
  }

  #read(): void {
    const log = this.#log
    const span = log.logEndOffset - log.logStartOffset
    const offset = log.logStartOffset + Math.floor(this.#random.next() * (span + 1))
    const maxBytes = 1 + Math.floor(this.#random.next() * this.#random.next() * 40_000)
    const minOneBatch = this.#chance(0.8)
    const result = log.read(offset, maxBytes, { minOneBatch })
    this.#count('reads')
    check(result.highWatermark <= log.logEndOffset, 'the high watermark is beyond the end')
    this.#model.maxHighWatermark = Math.max(this.#model.maxHighWatermark, result.highWatermark)
    if (result.error) {
      this.#count(`read ${result.error}`)
      check(result.error === 'CORRUPT_MESSAGE' && this.#damaged, `read at ${offset}: ${result.error}`)
      return
    }
    if (result.records.length === 0) {
      const first = this.#model.batches[this.#model.indexOf(offset)]
      // A damaged length may make any batch look too big; whoever asks for one batch at least hears of it.
      const tooBig = first !== undefined && !minOneBatch && (first.bytes.length > maxBytes || this.#damaged)
      check(offset >= result.highWatermark || tooBig, `read at ${offset} below ${result.highWatermark} gave nothing`)
      return
    }
    this.#model.checkRead(offset, result.records, result.highWatermark)
    const first = this.#model.batches[this.#model.indexOf(offset)]!
    check(result.records.length <= maxBytes || result.records.length === first.bytes.length, 'read more than asked')
  }

  #lookUpTime(): void {
    const log = this.#log
    const timestamp = this.#clock.now() - Math.floor(this.#random.next() * 1000)
    const expected = this.#model.offsetForTimestamp(timestamp, log.logStartOffset, log.highWatermark)
    this.#count('lookups')
    let found: number
    try {
      found = log.offsetForTimestamp(timestamp)?.offset ?? -1
    } catch (error) {
      check(this.#damaged, `time lookup failed: ${String(error)}`)
      return
    }
    check(found === expected, `first offset at or after ${timestamp}: ${found}, ${expected} expected`)
  }

  #deleteRecords(): void {
    const log = this.#log
    const offset = log.logStartOffset + Math.floor(this.#random.next() * (log.highWatermark - log.logStartOffset + 1))
    const result = log.deleteRecords(offset)
    check(!result.error, `deleteRecords ${offset}: ${result.error}`)
    check(log.logStartOffset === Math.max(offset, this.#checkpoint.logStartOffset), 'the log starts elsewhere')
    this.#checkpoint.logStartOffset = log.logStartOffset
    this.#count('deletions')
    this.#note(`deleted below ${offset}`)
  }

  #flip(): void {
    const targets = this.options.flipEpochs
      ? /\.(index|timeindex|snapshot)$|leader-epoch/
      : /\.(log|index|timeindex|snapshot)$/
    const flipped = this.#disk.flipBit((path) => targets.test(path))
    if (!flipped) return
    this.#damaged = true
    this.#count('flips')
    this.#note(`bit turned over in ${flipped.path} at ${flipped.position}`)
  }

  async #crash(): Promise<void> {
    const isPower = this.options.powerFailures && this.#chance(0.6)
    this.#note(isPower ? 'power failure' : 'process killed')
    this.#count(isPower ? 'powerFailures' : 'kills')
    const recoveryPoint = this.#log.recoveryPoint
    if (isPower) this.#disk.failPower()
    else this.#disk.killProcess()
    await drain()
    this.#reopen(isPower, recoveryPoint)
  }

  #reopen(isPower: boolean, durable: number): void {
    const { flush } = this.options
    const faults = { ...this.#disk.faults }
    Object.assign(this.#disk.faults, { writeError: 0, syncError: 0 })
    this.#log = this.#open(false)
    Object.assign(this.#disk.faults, faults)
    const { recovery, logEndOffset } = this.#log
    this.#note(`recovered to ${logEndOffset}: ${JSON.stringify(recovery)}`)
    const reportedDamage = this.#damaged && recovery.truncatedBytes > 0
    const promisesHold = flush === 'commit' || !isPower
    this.#model.cutTo(logEndOffset, this.#log.logStartOffset, (batch) => {
      if (reportedDamage) return false
      return promisesHold ? batch.acked : batch.lastOffset < durable
    })
    const keepsReaders = promisesHold && !reportedDamage
    check(!keepsReaders || logEndOffset >= this.#model.maxHighWatermark, 'readers have seen what is gone now')
    this.#model.maxHighWatermark = Math.min(this.#model.maxHighWatermark, logEndOffset)
    this.#checkpoint.recoveryPoint = Math.min(this.#checkpoint.recoveryPoint, logEndOffset)
    this.#readAll()
    for (const producer of this.#producers) this.#resend(producer)
  }

  async #restart(): Promise<void> {
    if (this.#log.failure) return this.#crash()
    this.#note('clean restart')
    this.#count('restarts')
    const generation = this.#generation
    try {
      await this.#clock.settle(this.#log.close())
    } catch {
      check(this.options.syncError > 0 || this.options.writeError > 0, 'closing failed without a fault')
      check(generation === this.#generation, 'the log was opened while it closed')
      this.#disk.killProcess()
      this.#reopen(false, this.#log.recoveryPoint)
      return
    }
    const end = this.#log.logEndOffset
    this.#checkpoint.recoveryPoint = this.#log.recoveryPoint
    this.#disk.killProcess()
    const faults = { ...this.#disk.faults }
    Object.assign(this.#disk.faults, { writeError: 0, syncError: 0 })
    this.#log = this.#open(true)
    Object.assign(this.#disk.faults, faults)
    if (!this.#damaged) check(this.#log.logEndOffset === end, `closed at ${end}, opened at ${this.#log.logEndOffset}`)
    const cut = this.#damaged && this.#log.recovery.truncatedBytes > 0
    this.#model.cutTo(this.#log.logEndOffset, this.#log.logStartOffset, (batch) => !cut && batch.acked)
    this.#model.maxHighWatermark = Math.min(this.#model.maxHighWatermark, this.#log.logEndOffset)
    this.#readAll()
    for (const producer of this.#producers) this.#resend(producer)
  }

  /** Reads the whole log and compares it with the model. */
  #readAll(): void {
    const log = this.#log
    for (let offset = log.logStartOffset; offset < log.highWatermark; ) {
      const result = log.read(offset, 20_000)
      if (result.error) {
        check(result.error === 'CORRUPT_MESSAGE' && this.#damaged, `read at ${offset}: ${result.error}`)
        this.#count('detectedFlips')
        return
      }
      check(result.records.length > 0, `the log gives nothing at ${offset}, its end is ${log.highWatermark}`)
      offset = this.#model.checkRead(offset, result.records, log.highWatermark)
    }
  }

  /** Without faults everything must work again. */
  async #liveness(): Promise<void> {
    Object.assign(this.#disk.faults, { shortRead: 0, writeError: 0, syncError: 0, lostSectors: 0, tornSectors: false })
    await this.#clock.advance(1000)
    if (this.#log.failure) await this.#crash()
    for (const producer of this.#producers) {
      this.#resend(producer)
      await this.#clock.advance(100)
      this.#resend(producer)
    }
    const end = this.#log.logEndOffset
    await this.#clock.settle(this.#log.flush())
    check(
      this.#log.highWatermark === end,
      `nothing fails any more, but the high watermark stays at ${this.#log.highWatermark} of ${end}`,
    )
    this.#readAll()
    await this.#restart()
    this.stats['batches'] = this.#model.batches.length
    this.stats['syncs'] = this.#disk.syncs
  }
}

/** A batch's name in the model: a repetition has the same. */
function nameOf(producer: SimProducer, batch: InFlight): string {
  return `${producer.name}/${producer.epoch}/${batch.sequence}`
}

async function simulate(seed: number, openLog: OpenLog): Promise<SimResult> {
  const simulation = new LogSimulation(seed, openLog)
  const { options, stats, trace } = simulation
  try {
    await simulation.run()
    return { ok: true, options, stats }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const failure = error instanceof InvariantBroken ? error.message : (error.stack ?? error.message)
    return { ok: false, options, stats, failure, trace }
  }
}

/** One log over a disk that fails: invariants 5, 6, 8 and 9 of design.md. */
export const logSimulation: Simulation = {
  name: 'log',
  run: (seed) => simulate(seed, Log.open),
}

/** The same with a log of the caller's, to prove that the checker sees what is broken. */
export function logSimulationWith(openLog: OpenLog): Simulation {
  return { name: 'log', run: (seed) => simulate(seed, openLog) }
}
