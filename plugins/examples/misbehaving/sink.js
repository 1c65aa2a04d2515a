import { defineConfig, defineSinkConnector } from '@millrace/sdk'

const config = defineConfig({
  hook: {
    type: 'string',
    importance: 'high',
    oneOf: ['createTask', 'start', 'open', 'put', 'preCommit', 'close', 'stop'],
    doc: 'Where it is thrown.',
  },
})

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
        return offsets
      },
      close: () => throwIn('close', settings),
      stop: () => throwIn('stop', settings),
    }
  },
})
