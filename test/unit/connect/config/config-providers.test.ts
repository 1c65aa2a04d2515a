import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RawConfig } from '@millrace/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realDisk } from '../../../../src/base/real/index.ts'
import { createConfigProviders, withVariables } from '../../../../src/connect/config/config-providers.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-providers-'))
  mkdirSync(join(folder, 'dir'))
  writeFileSync(join(folder, 'p.properties'), 'user=alice\npassword=open sesame\nn=7\n')
  writeFileSync(join(folder, 'dir', 'token'), 'abra.cadabra\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const KAFKA = 'org.apache.kafka.common.config.provider.'

function providers(more: RawConfig = {}) {
  const worker = {
    'config.providers': 'file, dir,env',
    'config.providers.file.class': `${KAFKA}FileConfigProvider`,
    'config.providers.dir.class': 'DirectoryConfigProvider',
    'config.providers.env.class': 'EnvVarConfigProvider',
    ...more,
  }
  return createConfigProviders(worker, { disk: realDisk, environment: { HOME_TOWN: 'Ulm am Rhein' } })
}

const issuesOf = (value: string, more?: RawConfig) =>
  providers(more)
    .resolve({ key: value })
    .issues.map(({ message }) => message)

describe('config providers', () => {
  it('put values of files, folders and the environment in place of variables', () => {
    const raw = {
      user: `\${file:${folder}/p.properties:user}`,
      url: `db://\${file:${folder}/p.properties:user}:\${file:${folder}/p.properties:password}@host`,
      token: `\${dir:${folder}/dir:token}`,
      town: '${env::HOME_TOWN}',
      same: '${env:HOME_TOWN}',
    }
    const { config, secrets, issues } = providers().resolve(raw)
    expect(config).toEqual({
      user: 'alice',
      url: 'db://alice:open sesame@host',
      token: 'abra.cadabra\n',
      town: 'Ulm am Rhein',
      same: 'Ulm am Rhein',
    })
    expect(issues).toEqual([])
    expect([...secrets.keys()].toSorted()).toEqual([
      'Ulm am Rhein',
      'abra.cadabra',
      'abra.cadabra\n',
      'alice',
      'open sesame',
    ])
  })

  it('leave text alone that names no alias of theirs', () => {
    const raw = { template: '${topic}', other: '${vault:a:b}', dollar: '$x', open: '${file:' }
    expect(providers().resolve(raw).config).toEqual(raw)
    const none = createConfigProviders({}, { disk: realDisk, environment: {} })
    expect(none.resolve({ a: '${file:/x:y}' })).toMatchObject({ config: { a: '${file:/x:y}' }, issues: [] })
  })

  it.each([
    ['a file that is missing', '${file:/no/such.properties:k}', 'ENOENT'],
    ['a key that is missing', '${file:FOLDER/p.properties:nope}', 'has no key nope'],
    ['no path', '${file:user}', 'names no path'],
    ['a file of a folder that is missing', '${dir:FOLDER/dir:nope}', 'has no file nope'],
    ['a way out of the folder', '${dir:FOLDER/dir:../p.properties}', 'no name of a file'],
    ['a folder as file', '${dir:FOLDER:dir}', 'cannot be read'],
    ['a variable that is not set', '${env::NOPE}', 'has no NOPE'],
    ['a path in the environment', '${env:a:HOME_TOWN}', 'a path is not supported'],
  ])('name the variable when there is %s', (_, text, reason) => {
    const value = text.replace('FOLDER', folder)
    const issues = issuesOf(value)
    expect(issues).toEqual([expect.stringContaining(`Cannot resolve ${value} for configuration key: `)])
    expect(issues[0]).toContain(reason)
  })

  it('keep the rest of a value out of the message, and the value as it was', () => {
    const raw = { key: 'my-own-secret-${env::NOPE}' }
    const { config, issues } = providers().resolve(raw)
    expect(config).toEqual(raw)
    expect(JSON.stringify(issues)).not.toContain('my-own-secret')
  })

  it('read nothing outside of allowed.paths', () => {
    const only = { 'config.providers.file.param.allowed.paths': join(folder, 'dir') }
    expect(issuesOf(`\${file:${folder}/p.properties:user}`, only)).toEqual([expect.stringContaining('is not below')])
    const sly = `\${file:${folder}/dir/../p.properties:user}`
    expect(issuesOf(sly, only)).toEqual([expect.stringContaining('is not below')])
    expect(issuesOf(`\${file:${folder}/p.properties:user}`, { ...only, [Object.keys(only)[0]!]: folder })).toEqual([])
  })

  it('read only variables of the environment that match the pattern as a whole', () => {
    const pattern = (text: string) => ({ 'config.providers.env.param.allowlist.pattern': text })
    expect(issuesOf('${env::HOME_TOWN}', pattern('HOME'))).toEqual([expect.stringContaining('does not match')])
    expect(issuesOf('${env::HOME_TOWN}', pattern('HOME_.*'))).toEqual([])
  })

  it.each([
    [{ 'config.providers.file.class': 'VaultProvider' }, 'VaultProvider for configuration config.providers.file.class'],
    [{ 'config.providers': 'a' }, 'config.providers.a.class'],
    [{ 'config.providers.file.param.allowed.paths': 'x' }, 'config.providers.file.param.allowed.paths'],
    [{ 'config.providers.dir.param.allowed.paths': '/no/such' }, 'does not exist'],
    [{ 'config.providers.env.param.allowlist.pattern': '(' }, 'config.providers.env.param.allowlist.pattern'],
  ])('refuse the set-up %j', (more, message) => {
    expect(() => providers(more)).toThrow(message)
  })
})

describe('configurations of tasks', () => {
  it('get their variables back, under whatever key and in whatever text a value comes', () => {
    const raw = {
      password: `\${file:${folder}/p.properties:password}`,
      n: `\${file:${folder}/p.properties:n}`,
      token: `\${dir:${folder}/dir:token}`,
    }
    const resolution = providers().resolve(raw)
    const made = { password: 'open sesame', n: '7', token: 'abra.cadabra', url: 'x:open sesame@y', size: '7', t: 'a' }
    const written = withVariables(made, raw, resolution)
    expect(written).toEqual({ ...raw, url: `x:${raw.password}@y`, size: '7', t: 'a' })
    expect(providers().resolve(written).config).toEqual({ ...made, token: 'abra.cadabra\n' })
  })
})
