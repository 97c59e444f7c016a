import Foundation
import Synchronization

/// A server of Git repositories on the loopback address, which runs until the tests end.
package protocol GitServer: Sendable {
    /// The folder of the served repositories.
    var root: String { get }
    func address(of repository: String) -> String
    /// The environment that clients need.
    var environment: [String: String] { get }
}

/// A server with `git http-backend` behind nginx and basic authentication.
package struct GitHTTPServer: GitServer {
    package static let password = "s3cret-of-the-test"
    package let root: String
    package let port: Int
    package let environment: [String: String] = [:]

    private static let started = Mutex<GitHTTPServer?>(nil)

    /// Returns the shared server, which is started on first use.
    package static func shared() throws -> GitHTTPServer {
        try started.withLock { server in
            if let server { return server }
            let new = try GitHTTPServer()
            server = new
            return new
        }
    }

    private init() throws {
        root = try makeFolder("http")
        port = try freePort()
        let backend =
            try runProgram("git", ["--exec-path"], ProcessInfo.processInfo.environment)
            .trimmingCharacters(in: .newlines) + "/git-http-backend"
        let temporary = ["client_body", "fastcgi", "proxy", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(root)/nginx-\($0);" }.joined(separator: " ")
        let parameters = [
            "SCRIPT_FILENAME \(backend)", "GIT_HTTP_EXPORT_ALL 1", "GIT_PROJECT_ROOT \(root)", "PATH_INFO $uri",
            "REMOTE_USER $remote_user", "QUERY_STRING $query_string", "REQUEST_METHOD $request_method",
            "CONTENT_TYPE $content_type", "CONTENT_LENGTH $content_length", "SERVER_PROTOCOL $server_protocol",
            "GIT_PROTOCOL $http_git_protocol", "PATH \(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
        ].map { "fastcgi_param \($0);" }.joined(separator: " ")
        let configuration = """
            daemon off; master_process off; pid \(root)/nginx.pid; error_log \(root)/nginx.log;
            events {}
            http {
                access_log off; \(temporary)
                server {
                    listen 127.0.0.1:\(port);
                    auth_basic git; auth_basic_user_file \(root)/passwords;
                    client_max_body_size 0;
                    location / { fastcgi_pass unix:\(root)/fcgi.sock; fastcgi_buffering off; \(parameters) }
                }
            }
            """
        try write(configuration, to: root + "/nginx.conf")
        try write("ada:{PLAIN}\(Self.password)\n", to: root + "/passwords")
        try startUntilExit("fcgiwrap", ["-c", "4", "-f", "-s", "unix:\(root)/fcgi.sock"], removing: root)
        try startUntilExit(
            "nginx", ["-p", root, "-c", root + "/nginx.conf", "-e", root + "/nginx.log"], removing: root)
        try waitForPort(port)
    }

    package func address(of repository: String) -> String {
        "http://ada:\(Self.password)@127.0.0.1:\(port)/\(repository)"
    }
}

/// An sshd with its own keys.
package struct GitSSHServer: GitServer {
    package let root: String
    package let port: Int
    package var environment: [String: String] {
        let options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        return ["GIT_SSH_COMMAND": "ssh -F /dev/null -i \(root)/client \(options)"]
    }

    private static let started = Mutex<GitSSHServer?>(nil)

    /// Returns the shared server, which is started on first use.
    package static func shared() throws -> GitSSHServer {
        try started.withLock { server in
            if let server { return server }
            let new = try GitSSHServer()
            server = new
            return new
        }
    }

    private init() throws {
        root = try makeFolder("ssh")
        port = try freePort()
        let environment = ProcessInfo.processInfo.environment
        for key in ["host", "client"] {
            try runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(root)/\(key)"], environment)
        }
        // An sshd that runs as root needs this folder.
        if getuid() == 0 {
            try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        }
        try write(
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(root)/host
            AuthorizedKeysFile \(root)/client.pub
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no
            MaxStartups 100
            """, to: root + "/sshd_config")
        let found = try runProgram("sh", ["-c", "PATH=$PATH:/usr/sbin:/usr/local/sbin command -v sshd"], environment)
        try startUntilExit(
            found.trimmingCharacters(in: .newlines), ["-D", "-e", "-f", root + "/sshd_config"], removing: root)
        try waitForPort(port)
    }

    package func address(of repository: String) -> String {
        "ssh://\(NSUserName())@127.0.0.1:\(port)\(root)/\(repository)"
    }
}

private func makeFolder(_ name: String) throws -> String {
    let folder = temporaryFolder + "/sluice-\(name)-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
}

private func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}

/// Starts a server that also ends if this process crashes: a shell waits for the end of its input.
private func startUntilExit(_ program: String, _ arguments: [String], removing folder: String) throws {
    let search = "PATH=$PATH:/usr/sbin:/usr/local/sbin command -v \(shellQuoted(program))"
    guard (try? runProgram("sh", ["-c", search], ProcessInfo.processInfo.environment)) != nil else {
        throw ProgramFailure(description: "\(program) is not installed: see README.md for the packages of the tests")
    }
    let command = ([program] + arguments).map(shellQuoted).joined(separator: " ")
    let script = """
        PATH=$PATH:/usr/sbin; setsid \(command) < /dev/null > /dev/null 2>&1 & p=$!
        cat > /dev/null; kill -- -$p; rm -rf \(shellQuoted(folder))
        """
    guard popen(script, "we") != nil else { throw ProgramFailure(description: "\(program) does not start") }
}

/// Returns a free port of the loopback address, below the range that the system assigns to clients. A client could
/// otherwise get the port of a server that is being restarted.
package func freePort() throws -> Int {
    for _ in 0..<100 {
        let port = Int.random(in: 20_000..<32_768)
        if call(bind, onPort: port) { return port }
    }
    throw ProgramFailure(description: "no free port: \(String(cString: strerror(errno)))")
}

/// Waits until a server listens on a port of the loopback address.
package func waitForPort(_ port: Int) throws {
    for _ in 0..<1200 {
        if call(connect, onPort: port) { return }
        usleep(25_000)
    }
    throw ProgramFailure(description: "nothing listens on port \(port)")
}

/// Returns whether a system call succeeds with a new socket and a port of the loopback address.
private func call(_ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, onPort port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
