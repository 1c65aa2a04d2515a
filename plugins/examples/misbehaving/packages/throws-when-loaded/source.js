throw new Error('thrown on purpose while the module is imported')
