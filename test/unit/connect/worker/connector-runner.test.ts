import {
  type ConnectorContext,
  type ConnectorMonitor,
  defineSinkConnector,
  defineSourceConnector,
  type RawConfig,
  type SinkConnector,
  type SourceConnector,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { realClock } from '../../../../src/base/real/index.ts'
import { ConnectorRunner, taskClass } from '../../../../src/connect/worker/connector-runner.ts'
import type { UnitEnvironment } from '../../../../src/connect/worker/unit-runner.ts'
import type { TargetState } from '../../../../src/connect/worker/worker.ts'

interface Behaviour {
  readonly taskConfigs?: (maxTasks: number, raw: RawConfig) => readonly RawConfig[]
  readonly monitor?: (context: ConnectorContext) => ConnectorMonitor
}

function source({ taskConfigs = (_, raw) => [raw], monitor }: Behaviour = {}): SourceConnector {
  return defineSourceConnector({
    name: 'X',
    version: '7',
    config: {},
    taskConfigs: (_config, maxTasks, raw) => taskConfigs(maxTasks, raw),
    ...(monitor ? { monitor: (_config: unknown, _raw: RawConfig, context: ConnectorContext) => monitor(context) } : {}),
    createTask: () => ({ poll: () => null }),
  })
}

function start(definition: SourceConnector | SinkConnector, config: RawConfig = {}, target: TargetState = 'STARTED') {
  const states: string[] = []
  let trace = ''
  let reconfigurations = 0
  const runner = new ConnectorRunner({
    connector: 'c',
    config,
    target,
    environment: {
      clock: realClock,
      logger: silentLogger,
      pluginClients: { kafka: {}, close: () => Promise.resolve() },
    } as unknown as UnitEnvironment,
    events: {
      onState: (state, detail) => {
        states.push(state)
        trace = detail.trace ?? trace
      },
      onTopicUsed: () => {},
    },
    definition,
    classNames: ['X', 'org.x.XConnector'],
    onReconfigure: () => reconfigurations++,
  })
  return { runner, states, trace: () => trace, reconfigurations: () => reconfigurations }
}

describe('a connector', () => {
  it('has one context for its life, by which its plugin finds again what it keeps', async () => {
    const contexts: ConnectorContext[] = []
    const { runner } = start({
      ...source({
        monitor: (context) => {
          contexts.push(context)
          return { stop: () => undefined }
        },
      }),
      taskConfigs: (_config, _maxTasks, raw, context) => {
        contexts.push(context)
        return [raw]
      },
    })
    await runner.run()
    await runner.taskConfigs(1)
    await runner.taskConfigs(1)
    expect(new Set(contexts).size).toBe(1)
    expect(contexts).toHaveLength(3)
  })

  it('adds to its task configurations what Kafka adds', async () => {
    const { runner } = start(source(), { a: '1' })
    expect(await runner.taskConfigs(3)).toEqual([{ a: '1', 'task.class': 'org.x.XTask' }])
    const sink = defineSinkConnector({
      name: 'X',
      version: '7',
      config: {},
      taskConfigs: () => [{}, {}],
      createTask: () => ({ put: () => {} }),
    })
    const expected = { 'task.class': 'org.x.XTask', topics: 'a,b' }
    expect(await start(sink, { topics: 'a,b' }).runner.taskConfigs(2)).toEqual([expected, expected])
  })

  it('may not have more tasks than tasks.max, unless that is not enforced', async () => {
    const greedy = source({ taskConfigs: () => [{}, {}, {}] })
    await expect(start(greedy, { 'tasks.max': '2' }).runner.taskConfigs(2)).rejects.toThrow(
      /generated 3 tasks, which is greater than 2/,
    )
    expect(await start(greedy, { 'tasks.max.enforce': 'false' }).runner.taskConfigs(2)).toHaveLength(3)
  })

  it('may only give text in its task configurations; the key is named', async () => {
    const wrong = source({ taskConfigs: () => [{ 'the.key': 1 } as unknown as RawConfig] })
    await expect(start(wrong).runner.taskConfigs(1)).rejects.toThrow(/the\.key must be text, not number/)
  })

  it('keeps its monitor while it is paused and stops it when it is stopped', async () => {
    const calls: string[] = []
    const monitor = () => {
      calls.push('start')
      return { stop: () => void calls.push('stop') }
    }
    const { runner, states } = start(source({ monitor }))
    await runner.run()
    runner.setTarget('PAUSED')
    runner.setTarget('PAUSED')
    await runner.run()
    expect(calls).toEqual(['start'])
    runner.setTarget('STOPPED')
    await runner.run()
    expect(calls).toEqual(['start', 'stop'])
    expect(states).toContain('RUNNING')
    expect(states).toContain('PAUSED')
    expect(states.at(-1)).toBe('STOPPED')
    expect(await runner.stop(1000)).toBe(true)
    expect(calls).toEqual(['start', 'stop'])
  })

  it('starts one monitor although its target changes while that starts', async () => {
    let starts = 0
    const started = Promise.withResolvers<ConnectorMonitor>()
    const monitor = () => {
      starts++
      return started.promise as unknown as ConnectorMonitor
    }
    const { runner, states } = start(source({ monitor }))
    const running = runner.run()
    runner.setTarget('PAUSED')
    started.resolve({ stop: () => {} })
    await running
    await runner.run()
    expect(starts).toBe(1)
    expect(states.at(-1)).toBe('PAUSED')
  })

  it('fails with what its monitor raises, and asks for new task configurations', async () => {
    let context: ConnectorContext | undefined
    const monitor = (given: ConnectorContext) => {
      context = given
      return { stop: () => {} }
    }
    const { runner, states, trace, reconfigurations } = start(source({ monitor }))
    await runner.run()
    context?.requestTaskReconfiguration()
    expect(reconfigurations()).toBe(1)
    context?.raiseError(new Error('the table is gone'))
    context?.raiseError(new Error('and more'))
    expect(states).toEqual(['RUNNING', 'FAILED'])
    expect(trace()).toMatch(/^Error: the table is gone\n/)
    await runner.stop(1000)
    context?.requestTaskReconfiguration()
    expect(reconfigurations()).toBe(1)
  })

  it('is cut off when its monitor does not stop', async () => {
    const { runner } = start(source({ monitor: () => ({ stop: () => new Promise(() => {}) }) }))
    await runner.run()
    expect(await runner.stop(20)).toBe(false)
  })

  it('has tasks of a class that is called like its own', () => {
    expect(taskClass(['FileStreamSource', 'org.apache.kafka.connect.file.FileStreamSourceConnector'])).toBe(
      'org.apache.kafka.connect.file.FileStreamSourceTask',
    )
    expect(taskClass(['Steady'])).toBe('SteadyTask')
  })
})
