throw new Error('a package that asks for another SDK must not be imported')
