package org.opensearch.plugin.classloader;

import java.util.List;

/** Stands in for OpenSearch's own, which is on no package registry: modules of a test node extend no other module. */
public final class ExtendedPluginsClassLoader extends ClassLoader {
  private ExtendedPluginsClassLoader(ClassLoader parent) {
    super(parent);
  }

  public static ExtendedPluginsClassLoader create(ClassLoader parent, List<ClassLoader> extended) {
    if (!extended.isEmpty()) throw new UnsupportedOperationException("a module extends another");
    return new ExtendedPluginsClassLoader(parent);
  }
}
