import io.trino.filesystem.local.LocalFileSystemFactory;
import io.trino.plugin.hive.InternalHiveConnectorFactory;
import io.trino.server.testing.TestingTrinoServer;
import io.trino.spi.Plugin;
import io.trino.spi.connector.Connector;
import io.trino.spi.connector.ConnectorContext;
import io.trino.spi.connector.ConnectorFactory;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A Trino of one node with a catalog `hive` over a folder: its files are `local:///…`, its
 * metastore lies in `metastore`. Prints its address once it answers; ends when stdin does.
 */
final class Engine {
    private static final Map<String, String> CATALOG = Map.of(
            "hive.metastore", "file",
            "hive.metastore.catalog.dir", "local:///metastore",
            "hive.non-managed-table-writes-enabled", "true", // as in Athena
            "hive.security", "allow-all");

    public static void main(String[] arguments) {
        PrintStream out = System.out; // the server sends System.out and System.err to its log
        PrintStream err = System.err;
        int status = 1;
        try {
            serve(Path.of(arguments[0]), out);
            status = 0;
        }
        catch (IOException | RuntimeException error) {
            error.printStackTrace(err);
        }
        Runtime.getRuntime().halt(status); // an orderly end takes seconds, and nothing is kept
    }

    private static void serve(Path folder, PrintStream out) throws IOException {
        TestingTrinoServer server =
                TestingTrinoServer.builder().setBaseDataDir(Optional.of(folder)).build();
        server.installPlugin(new HiveOnDisk(folder));
        server.createCatalog("hive", HiveOnDisk.NAME, CATALOG);
        out.println(server.getBaseUrl());
        System.in.transferTo(OutputStream.nullOutputStream());
    }

    /** The Hive connector over local files, which its own configuration can't ask for in 435. */
    private record HiveOnDisk(Path folder) implements Plugin, ConnectorFactory {
        static final String NAME = "hive_on_disk";

        @Override
        public Iterable<ConnectorFactory> getConnectorFactories() {
            return List.of(this);
        }

        @Override
        public String getName() {
            return NAME;
        }

        @Override
        public Connector create(String catalog, Map<String, String> config, ConnectorContext context) {
            return InternalHiveConnectorFactory.createConnector(
                    catalog,
                    config,
                    context,
                    binder -> { },
                    Optional.empty(),
                    Optional.of(new LocalFileSystemFactory(folder)),
                    Optional.empty());
        }
    }
}
