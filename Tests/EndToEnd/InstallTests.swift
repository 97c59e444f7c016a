import Foundation
import TestSupport
import Testing

/// The script of the setup action, unchanged, with a release of two small programs.
@Suite("Installing a release in CI", .serialized)
struct InstallTests {
    private static let version = "7.8.9"

    /// A file server with a release, and a CI runner.
    private final class Releases {
        let home: Program
        let server: RunningProgram
        let checksum: String
        private let address: String

        init() async throws {
            home = try Program()
            let release = home.path("releases/\(version)")
            for machine in ["x86_64", "aarch64"] {
                let script = "#!/bin/sh\n[ \"$1\" = version ] && echo 'sluice \(version)' || echo \(machine)\n"
                try home.write("", to: "\(machine)/sluice")
                try writeProgram(script, to: home.path("\(machine)/sluice").path)
                try FileManager.default.createDirectory(at: release, withIntermediateDirectories: true)
                let archive = release.appending(path: "sluice-\(version)-linux-\(machine).tar.xz").path
                try runProgram("tar", ["-C", home.path(machine).path, "-cJf", archive, "sluice"], Self.variables)
            }
            try runProgram("sh", ["-c", "sha256sum sluice* > SHA256SUMS"], Self.variables, in: release.path)
            let printed = try runProgram("sha256sum", ["SHA256SUMS"], Self.variables, in: release.path)
            checksum = String(printed.prefix(64))
            let port = try freePort()
            address = "http://127.0.0.1:\(port)"
            server = try RunningProgram(
                URL(fileURLWithPath: "/usr/bin/env"),
                ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "releases", "\(port)"],
                in: home.folder, environment: Self.variables, input: nil)
            try waitForPort(port)
        }

        private static let variables = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]

        /// Runs the only step of the action.
        ///
        /// - Parameter machine: The machine type that `uname -m` prints.
        func setUp(
            version: String = InstallTests.version, checksum: String? = nil, machine: String = "x86_64"
        ) async throws -> Program.Result {
            let action = Program.checkout.appending(path: ".github/actions/setup")
            let lines = try String(contentsOf: action.appending(path: "action.yml"), encoding: .utf8)
                .split(separator: "\n", omittingEmptySubsequences: false)
            let begin = try #require(lines.firstIndex { $0.hasSuffix("- run: |") })
            let script = lines[(begin + 1)...].prefix { $0.hasPrefix("        ") }.joined(separator: "\n")
            try home.write("", to: "tools/uname")
            try writeProgram(
                "#!/bin/sh\n[ \"$1\" = -m ] && echo \(machine) || echo Linux\n", to: home.path("tools/uname").path)
            let variables = [
                "PATH": "\(home.path("tools").path):\(Self.variables["PATH"] ?? "")", "HOME": home.folder.path,
                "GITHUB_ACTION_PATH": action.path, "GITHUB_PATH": home.path("path").path,
                "RUNNER_TEMP": home.path("temp").path, "SLUICE_VERSION": version,
                "SLUICE_CHECKSUM": checksum ?? self.checksum, "SLUICE_RELEASES": address,
            ]
            return try await RunningProgram(
                URL(fileURLWithPath: "/bin/bash"), ["-e", "-o", "pipefail", "-c", script], in: home.folder,
                environment: variables, input: nil
            ).end()
        }

        /// The output of the installed program; `nil` if none is installed.
        var installed: String? {
            guard let path = try? home.read("path").split(separator: "\n").last else { return nil }
            return try? runProgram("\(path)/sluice", [], Self.variables).trimmingCharacters(in: .newlines)
        }

        func change(_ file: String, to text: String) throws {
            try home.write(text, to: "releases/\(InstallTests.version)/\(file)")
        }

        func end() async throws {
            server.signal(SIGKILL)
            _ = try await server.end()
            home.remove()
        }
    }

    @Test("a release is installed by version and checksum for the current machine", arguments: ["x86_64", "aarch64"])
    func installed(machine: String) async throws {
        let releases = try await Releases()
        let result = try await releases.setUp(machine: machine)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "sluice \(Self.version)\n")
        #expect(releases.installed == machine)

        // Already installed, so nothing is fetched.
        try releases.change("SHA256SUMS", to: "")
        #expect(try await releases.setUp(machine: machine).status == 0)
        try await releases.end()
    }

    @Test("a release with a wrong version, checksum, machine type or content is not installed")
    func refused() async throws {
        let releases = try await Releases()
        func failure(_ result: Program.Result) -> String { result.status == 1 ? result.errors : "installed" }
        let other = String(repeating: "0", count: 64)
        let wrong = failure(try await releases.setUp(checksum: other))
        #expect(wrong.contains("has the SHA-256 \(releases.checksum), not \(other)"), "\(wrong)")
        let unknown = failure(try await releases.setUp(version: "7.8.8"))
        #expect(unknown.contains("cannot fetch SHA256SUMS of release 7.8.8"), "\(unknown)")
        let unset = failure(try await releases.setUp(checksum: "CHECKSUM"))
        #expect(unset.contains("set SLUICE_CHECKSUM"), "\(unset)")
        let machine = failure(try await releases.setUp(machine: "riscv64"))
        #expect(machine.contains("no release for Linux on riscv64"), "\(machine)")
        try releases.change("sluice-\(Self.version)-linux-x86_64.tar.xz", to: "something else")
        let changed = failure(try await releases.setUp())
        #expect(changed.contains("is not the file that SHA256SUMS names"), "\(changed)")
        #expect(releases.installed == nil)
        try await releases.end()
    }

    @Test("the examples and the action install the current version")
    func versions() throws {
        let source = try String(
            contentsOf: Program.checkout.appending(path: "Sources/sluice/Version.swift"), encoding: .utf8)
        let version = try #require(source.firstMatch(of: /static let text = "(.+)"/)).output.1
        let script = try String(
            contentsOf: Program.checkout.appending(path: "manifests/in-ci/install-sluice"), encoding: .utf8)
        #expect(script.contains("${SLUICE_VERSION:-\(version)}"))
        for (name, uses) in [("sluice", 2), ("sluice-scheduled", 1)] {
            let workflow = try String(
                contentsOf: Program.checkout.appending(path: "manifests/in-ci/.github/workflows/\(name).yml"),
                encoding: .utf8)
            #expect(workflow.components(separatedBy: "setup@\(version)\n").count == uses + 1)
            #expect(workflow.components(separatedBy: "version: \(version),").count == uses + 1)
        }
    }
}
