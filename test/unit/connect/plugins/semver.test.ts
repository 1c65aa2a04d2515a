import { describe, expect, it } from 'vitest'
import { isVersion, satisfies } from '../../../../src/connect/plugins/semver.ts'

describe('a version is in a range of npm', () => {
  it.each([
    ['^1.2.3', ['1.2.3', '1.9.0'], ['1.2.2', '2.0.0', '2.0.0-rc.1', '1.3.0-rc.1']],
    ['^0.1.0', ['0.1.0', '0.1.9'], ['0.2.0', '0.0.9', '1.0.0']],
    ['^0.0.3', ['0.0.3'], ['0.0.4', '0.0.2']],
    ['^1', ['1.0.0', '1.9.9'], ['0.9.9', '2.0.0']],
    ['^0', ['0.0.1', '0.9.0'], ['1.0.0']],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0']],
    ['~1', ['1.0.0', '1.9.0'], ['2.0.0']],
    ['1.x', ['1.0.0', '1.7.3'], ['2.0.0']],
    ['1.2', ['1.2.0', '1.2.7'], ['1.3.0']],
    ['*', ['0.0.1', '9.9.9'], ['1.0.0-rc.1']],
    ['', ['1.0.0'], []],
    ['>=1.2 <2', ['1.2.0', '1.9.9'], ['1.1.9', '2.0.0', '2.0.0-0']],
    ['> 1', ['2.0.0'], ['1.9.9', '2.0.0-rc.1']],
    ['<=1.2', ['1.2.9', '1.0.0'], ['1.3.0']],
    ['1.0.0 - 1.4', ['1.0.0', '1.4.9'], ['1.5.0']],
    ['^1.0.0 || ^3.0.0', ['1.5.0', '3.1.0'], ['2.0.0']],
    ['^1.0.0-rc.2', ['1.0.0-rc.2', '1.0.0-rc.10', '1.0.0', '1.1.0'], ['1.0.0-rc.1', '1.1.0-rc.3', '1.0.0-alpha']],
    ['v1.2.3', ['1.2.3', '1.2.3+build'], ['1.2.4']],
    ['<*', [], ['1.0.0']],
  ])('%s', (range, inside, outside) => {
    expect(inside.filter((version) => satisfies(version, range) !== true)).toEqual([])
    expect(outside.filter((version) => satisfies(version, range) !== false)).toEqual([])
  })

  it.each(['one', '1.2.3.4', '>=a', '=>1', 'file:../sdk'])('and %s is no range', (range) => {
    expect(satisfies('1.0.0', range)).toBeUndefined()
  })

  it('and a version has three numbers', () => {
    expect(['1.0.0', '1.0.0-rc.1', '1.0.0+b'].filter((text) => !isVersion(text))).toEqual([])
    expect(['1.0', 'latest', ''].filter(isVersion)).toEqual([])
  })
})
