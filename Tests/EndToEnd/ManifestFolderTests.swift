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

    @Test("broken links are errors", arguments: ["../missing", "nowhere.yaml", "self"])
    func brokenLink(target: String) async throws {
        let user = try user()
        defer { user.remove() }
        try link("root/self", to: target, user)
        let result = try await user.run("validate", "real", "root")
        #expect(result.status == 74)
        let reason = target == "self" ? "Too many levels of symbolic links" : "No such file or directory"
        #expect(result.errors == "error: cannot follow the link 'root/self': \(reason)\n")
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

    @Test("an unreadable folder or file is an error", .enabled(if: geteuid() != 0, "root reads everything"))
    func unreadable() async throws {
        let user = try user()
        defer { user.remove() }
        try user.write("", to: "real/closed.yaml")
        try FileManager.default.createDirectory(at: user.path("root/closed"), withIntermediateDirectories: true)
        for (path, error) in [("root/closed", "cannot read the folder"), ("real/closed.yaml", "cannot read")] {
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: user.path(path).path)
            let result = try await user.run("validate", String(path.prefix(4)))
            #expect(result.status == 74)
            #expect(result.errors == "error: \(error) '\(path)': Permission denied\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: user.path(path).path)
        }
    }
}
