import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;

/**
 * One Elasticsearch or OpenSearch node without the launcher of the distribution, which is on no package registry. By
 * reflection, so that one class starts all versions. Ends when its standard input does.
 */
public final class TestNode {
  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(arguments[0]);
    String root = arguments[1];
    Class<?> settingsClass = named(root + ".common.settings.Settings");
    try {
      call(named(root + ".common.logging.LogConfigurator"), null, "configureESLogging");
    } catch (ClassNotFoundException | NoSuchMethodException older) {
      // OpenSearch has no such step.
    }
    Object builder = call(settingsClass, null, "builder");
    for (int index = 2; index < arguments.length; index += 2) {
      builder = builder.getClass().getMethod("put", String.class, String.class).invoke(builder, arguments[index], arguments[index + 1]);
    }
    Object settings = call(builder.getClass(), builder, "build");
    Supplier<String> name = () -> "n1";
    Object environment = find(named(root + ".node.InternalSettingsPreparer"), "prepareEnvironment", 4)
        .invoke(null, settings, Map.of(), home.resolve("config"), name);
    Object node = newNode(root, environment, home);
    find(node.getClass(), "start", 0).invoke(node);
    System.out.println("STARTED");
    while (System.in.read() >= 0) {
      // Only the end counts.
    }
    find(node.getClass(), "close", 0).invoke(node);
    System.exit(0);
  }

  private static Object newNode(String root, Object environment, Path home) throws Exception {
    Class<?> nodeClass = named(root + ".node.Node");
    if (root.equals("org.opensearch")) return nodeClass.getConstructor(environment.getClass()).newInstance(environment);
    Class<?> loaderClass = named(root + ".plugins.PluginsLoader");
    Object modules = bundles(loaderClass, "loadModulesBundles", home.resolve("modules"));
    Object plugins = bundles(loaderClass, "loadPluginsBundles", home.resolve("plugins"));
    Method create = find(loaderClass, "createPluginsLoader", 4);
    Object loader = create.invoke(null, modules, plugins, Map.of(), false);
    return nodeClass.getConstructor(environment.getClass(), loaderClass).newInstance(environment, loader);
  }

  /** Version 9 has a second parameter, whether the plugins are stable. */
  private static Object bundles(Class<?> loader, String method, Path folder) throws Exception {
    for (Method candidate : loader.getMethods()) {
      if (!candidate.getName().equals(method)) continue;
      return candidate.getParameterCount() == 1 ? candidate.invoke(null, folder) : candidate.invoke(null, folder, false);
    }
    throw new NoSuchMethodException(method);
  }

  private static Class<?> named(String name) throws ClassNotFoundException {
    return Class.forName(name);
  }

  private static Object call(Class<?> type, Object target, String method) throws Exception {
    return type.getMethod(method).invoke(target);
  }

  private static Method find(Class<?> type, String name, int parameters) throws NoSuchMethodException {
    for (Method method : type.getMethods()) {
      if (method.getName().equals(name) && method.getParameterCount() == parameters) return method;
    }
    throw new NoSuchMethodException(type + "." + name);
  }
}
