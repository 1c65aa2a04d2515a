import { defineConfig, defineSinkConnector } from '@millrace/sdk'

const config = defineConfig({
  hook: {
    type: 'string',
    importance: 'high',
    oneOf: ['createTask', 'start', 'open', 'put', 'preCommit', 'close', 'stop', 'lie'],
    doc: 'Where it is thrown; lie throws nothing and claims to have stored what it was never given.',
  },
})

/** So far beyond what it was given are the offsets of a sink that lies. */
const AHEAD = 1000

function throwIn(hook, settings) {
  if (settings.hook === hook) throw new TypeError(`thrown on purpose in ${hook}`)
}

/** Takes records and forgets them, until it comes to the hook that throws. */
export default defineSinkConnector({
  name: 'MisbehavingSink',
  version: '0.0.1',
  config,
  taskConfigs: (_settings, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: (settings) => {
    throwIn('createTask', settings)
    return {
      start: () => throwIn('start', settings),
      open: () => throwIn('open', settings),
      put: (records) => {
        if (records.length > 0) throwIn('put', settings)
      },
      preCommit: (offsets) => {
        throwIn('preCommit', settings)
        if (settings.hook === 'lie') return offsets.map((one) => ({ ...one, offset: one.offset + AHEAD }))
        return offsets
      },
      close: () => throwIn('close', settings),
      stop: () => throwIn('stop', settings),
    }
  },
})
