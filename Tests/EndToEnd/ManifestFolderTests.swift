import Foundation
import Testing

/// The search for manifests in real folders.
@Suite("Folders of manifests")
struct ManifestFolderTests {
    /// Creates a target and a flow in the folder `real`, and an empty folder `root`.
    private func user() throws -> Program {
        let user = try Program()
        try user.write(Fixture.target(), to: "real/target.yaml")
        try user.write(Fixture.manifest([Fixture.flow()]), to: "real/flows.yaml")
        try FileManager.default.createDirectory(at: user.path("root"), withIntermediateDirectories: true)
        return user
    }

    private func link(_ name: String, to target: String, _ user: Program) throws {
        try FileManager.default.createSymbolicLink(atPath: user.path(name).path, withDestinationPath: target)
    }

    @Test("a link to a folder of manifests is followed at any position")
    func linkedFolder() async throws {
        let user = try user()
        defer { user.remove() }
        try link("root/linked", to: "../real", user)
        try link("alias", to: "root", user)
        for path in ["root", "root/linked", "alias"] {
            let plan = try await user.run("plan", path)
            #expect(plan.status == 0, "\(plan.errors)")
            #expect(plan.output.contains("1 to request"), "\(plan.output)")
        }
        let plan = try await user.run("plan", "root", "--format", "json")
        #expect(plan.output.contains(#""path":"root/linked/flows.yaml""#), "\(plan.output)")
    }

    @Test("loops of links terminate, and a file on several paths counts once, under the path without a link")
    func loops() async throws {
        let user = try user()
        defer { user.remove() }
        try link("real/again", to: ".", user)
        try link("real/a-copy.yaml", to: "flows.yaml", user)
        try link("root/up", to: "..", user)
        try link("root/real", to: "../real", user)
        let plan = try await user.run("plan", ".", "real", "--format", "json")
        #expect(plan.status == 0, "\(plan.errors)")
        #expect(plan.output.contains(#""path":"real/flows.yaml""#), "\(plan.output)")
        #expect(!plan.output.contains("a-copy") && !plan.output.contains("again"), "\(plan.output)")
    }

    @Test("a link that leads nowhere is an error where it is a manifest by its name, else a warning")
    func brokenLinks() async throws {
        for (target, reason) in [
            ("../missing", "No such file or directory"), ("nowhere.yaml", "No such file or directory"),
            ("self.yaml", "Too many levels of symbolic links"),
        ] {
            let user = try user()
            defer { user.remove() }
            try link("root/self.yaml", to: target, user)
            let result = try await user.run("validate", "real", "root")
            #expect(result.status == 74)
            #expect(result.errors == "error: cannot follow the link 'root/self.yaml': \(reason)\n")
        }
        let user = try user()
        defer { user.remove() }
        try link("real/result", to: "/nix/store/none", user)
        let result = try await user.run("plan", "real")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("1 to request"), "\(result.output)")
        #expect(
            result.errors.contains(
                "warning[SLU0141]: skipped 'real/result': the link leads nowhere (No such file or directory)"))
    }

    @Test("files that are nearly named as manifests are skipped with a warning, backups without")
    func nearMisses() async throws {
        let user = try user()
        defer { user.remove() }
        let near = ["Other.YML", "more.Yaml", "flows.yaml.txt", "typo.ymal"]
        for name in near + ["flows.yaml~", "flows.yaml.bak", "notes.txt", "yaml", "plan.json"] {
            try user.write("no manifest: [", to: "real/\(name)")
        }
        let result = try await user.run("validate", "real")
        #expect(result.status == 0, "\(result.errors)")
        for name in near {
            #expect(
                result.errors.contains("skipped 'real/\(name)': the names of manifests end in .yaml or .yml"),
                "\(result.errors)")
        }
        #expect(result.errors.contains("\n4 warnings\n"), "\(result.errors)")
        let json = try await user.run("validate", "real", "--format", "json")
        #expect(json.output.contains(#""warnings": 4"#), "\(json.output)")
    }

    @Test(
        "a FIFO or socket named as a manifest is skipped with a warning, and never waited for", .timeLimit(.minutes(1)))
    func specialFiles() async throws {
        let user = try user()
        defer { user.remove() }
        #expect(mkfifo(user.path("real/pipe.yaml").path, 0o600) == 0)
        #expect(mkfifo(user.path("real/pipe").path, 0o600) == 0)
        try link("real/zero.yaml", to: "/dev/zero", user)
        let result = try await user.run("validate", "real")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("skipped 'real/pipe.yaml': it is a FIFO, not a file"), "\(result.errors)")
        #expect(result.errors.contains("skipped 'real/zero.yaml': it is a device, not a file"), "\(result.errors)")
        #expect(result.errors.contains("\n2 warnings\n"), "\(result.errors)")
        let named = try await user.run("validate", "real/pipe.yaml")
        #expect(named.status == 74)
        #expect(named.errors == "error: cannot read 'real/pipe.yaml': it is a FIFO, not a file\n")
    }

    private func create(_ path: String, latin1 name: String, _ user: Program) {
        let bytes = user.path(path).path.utf8.map { CChar(bitPattern: $0) } + [CChar(UInt8(ascii: "/"))]
        let file = open(bytes + name.unicodeScalars.map { CChar(truncatingIfNeeded: $0.value) } + [0], O_CREAT, 0o600)
        #expect(file >= 0)
        close(file)
    }

    @Test("a file whose name is not UTF-8 is skipped, and refused where it is a manifest by its name")
    func latin1Names() async throws {
        let user = try user()
        defer { user.remove() }
        create("real", latin1: "not\u{E9}.txt", user)
        create("real", latin1: "\u{FF}\u{FE}", user)
        for command in ["validate", "plan", "status"] {
            let result = try await user.run(command, "real")
            #expect(result.status == 0, "\(result.errors)")
        }
        create("real", latin1: "caf\u{E9} \u{C3}.yaml", user)
        let result = try await user.run("validate", "real")
        #expect(result.status == 74)
        #expect(
            result.errors
                == "error: the path 'real/caf\\xE9 \\xC3.yaml' is not UTF-8: rename the manifest\n")
    }

    /// Runs the program from Python, which can pass bytes that are no text.
    private static let withBytes = """
        import os, sys
        os.environb[b'HOME'] = sys.argv[2].encode('latin-1')
        os.makedirs(sys.argv[3].encode('latin-1'), exist_ok=True)
        os.chdir(sys.argv[3].encode('latin-1'))
        os.execv(sys.argv[1], ['sluice'] + [argument.encode('latin-1') for argument in sys.argv[4:]])
        """

    @Test(
        "paths that are not UTF-8 are refused with their bytes, and nothing is written to another path",
        arguments: [
            ("/home/jos\u{E9}", ".", ["plan", "real"], 78, "HOME is '/home/jos\\xE9', which is not UTF-8"),
            ("/home", "w\u{E9}", ["plan", "../real", "--out", "p.json"], 78, "w\\xE9', is not UTF-8"),
            ("/home", ".", ["validate", "r\u{E9}al"], 64, "the argument 'r\\xE9al' is not UTF-8"),
            ("/home/jos\u{E9}", ".", ["validate", "real"], 0, "no errors"),
        ] as [(String, String, [String], Int32, String)])
    func latin1Surroundings(
        home: String, folder: String, arguments: [String], status: Int32, message: String
    ) async throws {
        let user = try user()
        defer { user.remove() }
        let result = try await user.start([home, folder] + arguments, below: Self.withBytes).end()
        #expect(result.status == status, "\(result.errors)")
        #expect(result.errors.contains(message), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: user.path("w\u{FFFD}").path))
    }

    @Test("hidden entries and other files are not read")
    func others() async throws {
        let user = try user()
        defer { user.remove() }
        try user.write("no manifest: [", to: "real/.hidden/flows.yaml")
        try user.write("no manifest: [", to: "real/notes.txt")
        try link("real/.broken", to: "nowhere", user)
        let result = try await user.run("validate", "real")
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test("a missing path is an error")
    func missing() async throws {
        let user = try user()
        defer { user.remove() }
        let result = try await user.run("validate", "real", "missing")
        #expect(result.status == 74)
        #expect(result.errors == "error: cannot read 'missing': No such file or directory\n")
    }

    /// Runs the program without root's rights.
    private static let asNobody = """
        import os, sys
        if os.getuid() == 0: os.setuid(65534)
        os.execv(sys.argv[1], ['sluice'] + sys.argv[2:])
        """

    @Test("a folder that must not be read is skipped with a warning, and an error where it or a manifest is named")
    func unreadable() async throws {
        let user = try user()
        defer { user.remove() }
        let closed = [FileAttributeKey.posixPermissions: 0]
        try FileManager.default.createDirectory(
            at: user.path("real/lost+found"), withIntermediateDirectories: true, attributes: closed)
        let result = try await user.start(["validate", "real"], below: Self.asNobody).end()
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            result.errors.contains(
                "warning[SLU0141]: skipped 'real/lost+found': the folder cannot be read (Permission denied)"))
        let named = try await user.start(["validate", "real/lost+found"], below: Self.asNobody).end()
        #expect(named.status == 74)
        #expect(named.errors == "error: cannot read the folder 'real/lost+found': Permission denied\n")

        try user.write("", to: "real/closed.yaml")
        try FileManager.default.setAttributes(closed, ofItemAtPath: user.path("real/closed.yaml").path)
        let file = try await user.start(["validate", "real"], below: Self.asNobody).end()
        #expect(file.status == 74)
        #expect(file.errors == "error: cannot read 'real/closed.yaml': Permission denied\n")
        for path in ["real/closed.yaml", "real/lost+found"] {
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: user.path(path).path)
        }
    }
}
