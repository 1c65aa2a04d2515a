import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { kafkaMissing, startKafka } from '../../services/kafka.ts'
import { type MillraceWorker, startMillraceBroker } from '../../services/millrace.ts'
import { datagen, isHealthy, placement, rest, spread, startWorkers, until, untilRunning } from './connect-cluster.ts'

const logs = [
  { name: 'Millrace', missing: false, start: () => startMillraceBroker() },
  { name: 'Apache Kafka 4.3.1', missing: kafkaMissing('4.3.1') !== null, start: () => startKafka() },
]

describe.each(logs)('three workers on $name', ({ name, missing, start }) => {
  let log: { readonly bootstrapServers: string; stop(): Promise<void> }
  let workers: MillraceWorker[] = []

  beforeAll(async () => {
    if (missing) return
    log = await start()
    // Survivors must not lose their session to a machine that is busy with something else.
    const patient = { 'session.timeout.ms': '20000' }
    workers = await startWorkers(3, log.bootstrapServers, `group-${process.pid}`, patient)
  })
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await log?.stop()
  })

  /** Every test begins with three workers and no connector. */
  beforeEach(async () => {
    if (missing) return
    await Promise.all(workers.map(async (worker) => (await isHealthy(worker.url)) || worker.restart()))
    const { body } = await rest(workers[0]!.url, 'GET', '/connectors')
    for (const connector of body) {
      await until(
        `${connector} is deleted`,
        () => rest(workers[0]!.url, 'DELETE', `/connectors/${connector}`),
        ({ status }) => status === 204 || status === 404,
      )
    }
    for (const worker of workers) {
      await until(
        'no connector is left',
        () => placement(worker.url),
        ({ states }) => states.length === 0,
      )
    }
  })

  const url = (i: number) => workers[i]!.url
  const create = async (i: number, connector: string, tasks: number) => {
    const config = datagen(`t-${connector}`, tasks)
    const answer = await rest(url(i), 'POST', '/connectors', { name: connector, config })
    expect([answer.status, answer.body.name]).toEqual([201, connector])
  }
  const states = async (connector: string) => {
    const { body } = await rest(url(0), 'GET', `/connectors/${connector}/status`)
    if (body.connector === undefined) return body.message as string
    return [body.connector.state, ...body.tasks.map((task: any) => task.state)].join(' ')
  }
  const untilStates = (connector: string, wanted: string) =>
    until(
      `${connector} is ${wanted}`,
      () => states(connector),
      (seen) => seen === wanted,
    )

  test.skipIf(missing)('whichever worker is asked, connectors are made, changed and deleted', async () => {
    for (const i of [0, 1, 2]) await create(i, `c${i}`, 4)
    expect(spread(await untilRunning(url(1), 12))).toEqual([4, 4, 4])
    const duplicate = await rest(url(2), 'POST', '/connectors', { name: 'c0', config: datagen('t', 1) })
    expect([duplicate.status, duplicate.body.message]).toEqual([409, 'Connector c0 already exists'])
    // Each worker reads the topic for itself; the last record may still be under way to this one.
    const lists = [0, 1, 2].map(
      (i) => () => rest(url(i), 'GET', '/connectors').then(({ body }) => body.toSorted().join()),
    )
    for (const list of lists) await until('all see the connectors', list, (names) => names === 'c0,c1,c2')

    for (const i of [0, 1, 2]) {
      const scaled = await rest(url(i), 'PUT', '/connectors/c0/config', datagen('t-c0', 5 + i))
      expect(scaled.status).toBe(200)
      await untilRunning(url(0), 13 + i)
    }
    expect((await rest(url(1), 'PATCH', '/connectors/c0/config', { 'tasks.max': '1' })).status).toBe(200)
    await untilRunning(url(0), 9)

    for (const i of [0, 1, 2]) {
      expect((await rest(url(i), 'PUT', `/connectors/c1/pause`)).status).toBe(202)
      await untilStates('c1', 'PAUSED PAUSED PAUSED PAUSED PAUSED')
      expect((await rest(url(i), 'PUT', `/connectors/c1/resume`)).status).toBe(202)
      await untilStates('c1', 'RUNNING RUNNING RUNNING RUNNING RUNNING')
      expect((await rest(url(i), 'PUT', `/connectors/c1/stop`)).status).toBe(204)
      await untilStates('c1', 'STOPPED')
      await rest(url(i), 'PUT', `/connectors/c1/resume`)
      await untilStates('c1', 'RUNNING RUNNING RUNNING RUNNING RUNNING')
      expect((await rest(url(i), 'POST', `/connectors/c1/tasks/${i}/restart`)).status).toBe(204)
      expect((await rest(url(i), 'POST', `/connectors/c1/restart`)).status).toBe(204)
      const restarted = await rest(url(i), 'POST', `/connectors/c1/restart?includeTasks=true`)
      expect([restarted.status, restarted.body.tasks.every((task: any) => task.state === 'RESTARTING')]).toEqual([
        202,
        true,
      ])
      await untilStates('c1', 'RUNNING RUNNING RUNNING RUNNING RUNNING')
    }

    for (const i of [0, 1, 2]) expect((await rest(url(2 - i), 'DELETE', `/connectors/c${i}`)).status).toBe(204)
    await until(
      'nothing is left',
      () => rest(url(0), 'GET', '/connectors'),
      ({ body }) => body.length === 0,
    )
  })

  test.skipIf(missing)('the tasks of a killed worker go on elsewhere, and the others never stop', async () => {
    for (const i of [0, 1, 2]) await create(i, `c${i}`, 4)
    const before = await untilRunning(url(0), 12)
    const dead = workers[2]!
    const survivors = [...before].filter(([, worker]) => worker !== dead.workerId)
    await dead.kill()
    const after = await until(
      'nothing names the dead worker',
      async () => {
        const seen = await placement(url(0))
        // The tasks of the survivors are where they were, and running, at every look.
        for (const [task, worker] of survivors) {
          expect([seen.workers.get(task), seen.states.includes(`${task} RUNNING`)]).toEqual([worker, true])
        }
        return seen
      },
      ({ states, workers: places }) =>
        states.every((state) => state.endsWith(' RUNNING')) && ![...places.values()].includes(dead.workerId),
    )
    expect(spread(after.workers)).toEqual([6, 6])
    await dead.restart()
    const balanced = await until(
      'the worker that is back has its share',
      () => placement(url(1)),
      (seen) => seen.states.every((state) => state.endsWith(' RUNNING')) && spread(seen.workers).join() === '4,4,4',
    )
    expect(new Set(balanced.workers.values()).size).toBe(3)
  })

  test.skipIf(missing)('when the leader is killed another one leads and takes requests', async () => {
    await create(0, 'c0', 3)
    await untilRunning(url(0), 3)
    // Whoever leads, killing one after the other kills the leader.
    await workers[0]!.kill()
    await until(
      'c0 runs again',
      () => placement(url(1)),
      (seen) =>
        [...seen.workers.values()].every((worker) => worker !== workers[0]!.workerId) &&
        seen.states.every((state) => state.endsWith(' RUNNING')),
    )
    await workers[1]!.kill()
    await until(
      'a connector can be made',
      () => rest(url(2), 'POST', '/connectors', { name: 'late', config: datagen('t-late', 2) }),
      ({ status }) => status === 201,
    )
    const places = await untilRunning(url(2), 5)
    expect(new Set(places.values())).toEqual(new Set([workers[2]!.workerId]))
  })

  test.skipIf(missing)('a worker that is told to stop hands its tasks over and exits with 0', async () => {
    await create(0, 'c0', 6)
    await untilRunning(url(0), 6)
    expect(await workers[1]!.end()).toBe(0)
    const places = await untilRunning(url(0), 6)
    const gone = workers[1]!.workerId
    await until(
      'the stopped worker has nothing',
      () => placement(url(0)),
      (seen) => ![...seen.workers.values()].includes(gone),
    )
    expect(places.size, name).toBe(6)
  })
})
