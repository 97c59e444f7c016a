import Foundation

/// A PostgreSQL server for tests, on a Unix socket and a free port of the loopback address, in a temporary folder.
///
/// A second process stops the server and removes the folder when the tests end or crash.
package final class PostgresServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The folder of the server, with its data, log and socket.
    package let folder: URL
    package let port: Int
    private let settings: [String]
    private let watcher: FolderWatcher

    package static var isInstalled: Bool { (try? ServerCommand("initdb")) != nil }

    private static let shared = Task { try await PostgresServer() }

    /// Returns the server that most tests of a process share, each with a database of its own.
    package static func shared() async throws -> PostgresServer { try await shared.value }

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - copy: A server whose data is copied with `pg_basebackup`; `nil` creates new data.
    ///   - settings: Settings as `name=value`. Commits use no fsync unless `fsync=on` is set.
    ///   - parent: The parent folder, such as a small file system.
    package init(copyOf copy: PostgresServer? = nil, settings: [String] = [], in parent: URL? = nil) async throws {
        let parent = parent ?? FileManager.default.temporaryDirectory
        folder = parent.appending(path: "pg-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        watcher = try FolderWatcher(folder)
        port = try freePort()
        self.settings =
            ["fsync=off", "max_connections=100", "shared_buffers=16MB", "log_min_messages=warning"] + settings
        try await ServerCommand.own(folder)
        if let copy {
            try await ServerCommand("pg_basebackup").run(
                "-D", data, "-R", "-X", "stream", "-c", "fast", "-d", copy.url("postgres"))
        } else {
            try await ServerCommand("initdb").run(
                "-D", data, "-A", "trust", "-N", "-U", "sluice", "-E", "UTF8", "--locale=C")
        }
        try await start()
    }

    private var data: String { folder.appending(path: "data").path }

    package func start() async throws {
        let options =
            ["port=\(port)", "listen_addresses=127.0.0.1", "unix_socket_directories='\(folder.path)'"] + settings
        try await ServerCommand("pg_ctl").start(
            "-D", data, "-l", folder.appending(path: "log").path, "-w", "-t", "120", "-o",
            options.map { "-c \($0)" }.joined(separator: " "), "start")
    }

    /// Stops the server.
    ///
    /// - Parameter mode: `fast` closes connections in order, `immediate` leaves recovery to the next start.
    package func stop(_ mode: String = "fast") async throws {
        try await ServerCommand("pg_ctl").run("-D", data, "-m", mode, "-w", "stop")
    }

    /// Kills the server with SIGKILL, and waits for the end of its processes.
    package func kill() async throws {
        let killed = try processes()
        for process in killed { Foundation.kill(process, SIGKILL) }
        try await wait(for: "the end of the processes \(killed)") {
            !killed.contains { Foundation.kill($0, 0) == 0 }
        }
    }

    /// Sends a signal to all processes of the server.
    package func signal(_ number: Int32) throws { for process in try processes() { Foundation.kill(process, number) } }

    /// Returns the process IDs of the postmaster and its children.
    private func processes() throws -> [Int32] {
        let lines = try String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8).split(separator: "\n")
        guard let first = lines.first.flatMap({ Int32($0) }) else { return [] }
        let children = try? String(contentsOfFile: "/proc/\(first)/task/\(first)/children", encoding: .utf8)
        return [first] + (children ?? "").split(separator: " ").compactMap { Int32($0) }
    }

    /// Replaces its `pg_hba.conf`.
    package func authenticate(_ lines: String...) async throws {
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: data + "/pg_hba.conf"))
        try await ServerCommand.own(folder)
        try await ServerCommand("pg_ctl").run("-D", data, "reload")
    }

    /// Makes it follow the other server no longer.
    package func promote() async throws { try await ServerCommand("pg_ctl").run("-D", data, "-w", "promote") }

    // MARK: Databases

    /// Creates an empty database and returns its name.
    package func makeDatabase() async throws -> String {
        let name = "test_\(UUID().uuidString.prefix(8).lowercased())"
        try await run("CREATE DATABASE \(name)")
        return name
    }

    /// Creates an empty database and returns its address.
    package func makeDatabaseURL() async throws -> String { url(try await makeDatabase()) }

    /// Returns the address of a database.
    ///
    /// - Parameter parameters: URL parameters as `name=value`.
    package func url(_ database: String, user: String = "sluice", _ parameters: String...) -> String {
        let address = "postgres://\(user)@127.0.0.1:\(port)/\(database)"
        return parameters.isEmpty ? address : address + "?" + parameters.joined(separator: "&")
    }

    /// Runs statements with `psql`, and returns their unaligned output.
    @discardableResult
    package func run(_ sql: String..., in database: String = "postgres") async throws -> String {
        try await ServerCommand("psql").run(
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url(database)] + sql.flatMap { ["-c", $0] })
    }

    /// Copies a database with `pg_dump` and `pg_restore`.
    package func copyByDump(from database: String, to other: String) async throws {
        let file = folder.appending(path: "\(other).dump").path
        try await ServerCommand("pg_dump").run("-Fc", "-f", file, "-d", url(database))
        try await ServerCommand("pg_restore").run("-d", url(other), file)
    }

    package var log: String {
        (try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)) ?? ""
    }
}

/// PgBouncer in transaction mode in front of a server, with fewer server connections than clients.
package final class PgBouncer: Sendable {
    private let port: Int
    private let watcher: FolderWatcher

    private static let shared = Task { try await PgBouncer(before: .shared()) }

    package static func shared() async throws -> PgBouncer { try await shared.value }

    package init(before server: PostgresServer) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pb-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        watcher = try FolderWatcher(folder)
        port = try freePort()
        let settings = """
            [databases]
            * = host=127.0.0.1 port=\(server.port)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = trust
            auth_file = \(folder.path)/users
            pool_mode = transaction
            default_pool_size = 2
            max_client_conn = 200
            pidfile = \(folder.path)/pgbouncer.pid
            logfile = \(folder.path)/log

            """
        try Data(settings.utf8).write(to: folder.appending(path: "settings.ini"))
        try Data("\"sluice\" \"\"\n".utf8).write(to: folder.appending(path: "users"))
        try await ServerCommand.own(folder)
        try await ServerCommand("pgbouncer").start("-d", "-q", folder.appending(path: "settings.ini").path)
    }

    package func url(_ database: String) -> String { "postgres://sluice@127.0.0.1:\(port)/\(database)" }
}

/// A PostgreSQL command, run as another user if the tests run as root, because a server refuses to run as root.
struct ServerCommand {
    private let path: String

    init(_ name: String) throws {
        let folders = Self.versions + ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
        guard let folder = folders.first(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") })
        else {
            throw PostgresServer.Failure(description: "no \(name) on this machine: see README.md for what tests need")
        }
        path = "\(folder)/\(name)"
    }

    /// The folders of commands by server version, as on Debian, newest first.
    private static let versions: [String] = {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.compactMap { Int($0) }.sorted(by: >).map { "\(root)/\($0)/bin" }
    }()

    private static var asOtherUser: [String] {
        getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
    }

    /// Changes the owner of a folder to the user of the server.
    static func own(_ folder: URL) async throws {
        guard getuid() == 0 else { return }
        _ = try await launch(["chown", "-R", "postgres:postgres", folder.path])
    }

    @discardableResult
    func run(_ arguments: String...) async throws -> String { try await run(arguments) }

    @discardableResult
    func run(_ arguments: [String]) async throws -> String {
        try await Self.launch(Self.asOtherUser + [path] + arguments)
    }

    /// Runs a command that leaves a server running.
    func start(_ arguments: String...) async throws {
        _ = try await Self.launch(Self.asOtherUser + Self.alone + [path] + arguments)
    }

    /// A shell that closes all but the standard descriptors: an inherited one would stay open in the server and hide
    /// the end of the command.
    ///
    /// Only commands that start a server may use it. Foundation treats the closed descriptor as the end of a process
    /// and then waits for it, which blocks all other processes.
    private static let alone = [
        "bash", "-c",
        "for file in /dev/fd/*; do number=${file##*/}; if [ $number -gt 2 ]; then eval \"exec $number>&-\"; fi; done; "
            + "exec \"$@\"", "bash",
    ]

    /// Runs a command. Its output goes to a file, because a pipe would stay open in a server.
    private static func launch(_ words: [String]) async throws -> String {
        let output = FileManager.default.temporaryDirectory.appending(path: "out-\(UUID().uuidString)")
        try Data().write(to: output)
        defer { try? FileManager.default.removeItem(at: output) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardInput = FileHandle.nullDevice
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try handle.close()
        let text = try String(contentsOf: output, encoding: .utf8)
        guard status == 0 else {
            throw PostgresServer.Failure(description: "\(words.joined(separator: " ")) ended with \(status): \(text)")
        }
        return text.trimmingCharacters(in: .newlines)
    }
}

/// A process that waits for the end or crash of this process, then stops the servers in the folder and removes the
/// folder.
private final class FolderWatcher: Sendable {
    private let pipe: Int32

    private static let script = """
        trap '' INT TERM HUP
        cat > /dev/null
        for file in "$1"/data/postmaster.pid "$1"/pgbouncer.pid; do
            [ -f "$file" ] || continue
            process=$(head -n 1 "$file")
            kill -QUIT "$process"
            for try in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$process" || break; sleep 0.2; done
            kill -KILL "$process"
        done
        rm -rf "$1"
        """

    init(_ folder: URL) throws {
        let ends = Pipe()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", Self.script, "sh", folder.path]
        process.standardInput = ends.fileHandleForReading
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Kept open only by this process, until it ends or this object is deallocated.
        pipe = fcntl(ends.fileHandleForWriting.fileDescriptor, F_DUPFD_CLOEXEC, 3)
        try ends.fileHandleForWriting.close()
    }

    deinit { close(pipe) }
}
