import Foundation
import Testing

/// Paths in manifests and on the command line: `~/` is `$HOME`, `-` is standard input or output.
@Suite("Paths")
struct PathTests {
    private func user(ledger: String = "sqlite:ledger.sqlite") throws -> Program {
        let user = try Program()
        try user.write(Fixture.target(ledger: "\"\(ledger)\""), to: "man/target.yaml")
        try user.write(Fixture.manifest([Fixture.flow()]), to: "man/flows.yaml")
        return user
    }

    private func exists(_ path: String, _ user: Program) -> Bool {
        FileManager.default.fileExists(atPath: user.path(path).path)
    }

    @Test("'~/' in a ledger's path is $HOME from every folder", arguments: [".", "man", "man/deep"])
    func ledgerInHome(folder: String) async throws {
        var user = try user(ledger: "sqlite:~/state/x.sqlite")
        defer { user.remove() }
        for name in ["home", "man/deep"] {
            try FileManager.default.createDirectory(at: user.path(name), withIntermediateDirectories: true)
        }
        user.environment["HOME"] = user.path("home").path
        let manifests = user.path("man").path
        for path in [manifests, folder == "." ? "man" : folder == "man" ? "." : ".."] {
            let applied = try await user.inFolder(folder).run("apply", path, "--yes")
            #expect(applied.status == 0, "\(applied.errors)")
            #expect(exists("home/state/x.sqlite", user))
        }
        let history = try await user.run("history", "man")
        #expect(history.output.contains("1 run: "), "\(history.output)")
        for literal in ["~", "man/~", "man/deep/~"] { #expect(!exists(literal, user)) }
        // A saved plan keeps '~/', and means the same.
        #expect(try await user.run("plan", "man", "--out", "plan.json").status == 0)
        #expect(try user.read("plan.json").contains("\"sqlite:~/state/x.sqlite\""))
        let again = try await user.run("apply", "plan.json")
        #expect(again.errors.contains("Nothing to do") || again.output.contains("Nothing to do"), "\(again.errors)")
    }

    @Test("'~/' in a path of the command line is $HOME, and '~user/' is refused")
    func options() async throws {
        var user = try user()
        defer { user.remove() }
        try FileManager.default.createDirectory(at: user.path("home"), withIntermediateDirectories: true)
        user.environment["HOME"] = user.path("home").path
        #expect(try await user.run("plan", "man", "--out=~/p.json").status == 0)
        #expect(exists("home/p.json", user) && !exists("~", user))
        #expect(try await user.run("apply", "~/p.json").status == 0)
        #expect(try await user.run("ledger", "export", "man", "--out=~/l.jsonl").status == 0)
        #expect(exists("home/l.jsonl", user))
        #expect(try await user.run("ledger", "copy", "man", "--to=sqlite:~/copy.sqlite").status == 0)
        #expect(exists("home/copy.sqlite", user))
        #expect(try await user.run("report", "man", "--out=~/page.html").status == 0)
        #expect(exists("home/page.html", user))
        let refused = try await user.run("plan", "man", "--out=~root/p.json")
        #expect(refused.status == 64)
        #expect(refused.errors.contains("'~root/p.json': only '~/' is expanded, to $HOME"), "\(refused.errors)")
        user.environment["HOME"] = "relative"
        let homeless = try await user.run("plan", "man", "--out=~/q.json")
        #expect(homeless.status == 64)
        #expect(homeless.errors.contains("$HOME, which is not set to an absolute path"), "\(homeless.errors)")
    }

    @Test("'~user/' in a ledger's path is refused", arguments: ["sqlite:~root/x.sqlite", "git:~root/x.git"])
    func otherHome(ledger: String) async throws {
        let user = try user(ledger: ledger)
        defer { user.remove() }
        let result = try await user.run("validate", "man")
        #expect(result.status == 65)
        #expect(
            result.errors.contains("error[SLU0116]: '\(ledger)': only '~/' is expanded, to $HOME"), "\(result.errors)")
    }

    @Test("a folder named '~' is a folder like others")
    func folderNamedTilde() async throws {
        let user = try user()
        defer { user.remove() }
        try FileManager.default.moveItem(at: user.path("man"), to: user.path("~"))
        let applied = try await user.run("apply", ".", "--yes")
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(exists("~/ledger.sqlite", user) && !exists("ledger.sqlite", user))
    }

    @Test("with '--out -' the saved plan alone is on standard output, and 'apply -' applies it")
    func standardOutput() async throws {
        let user = try user()
        defer { user.remove() }
        for format in ["text", "markdown", "json"] {
            let plan = try await user.run("plan", "man", "--out", "-", "--format", format)
            #expect(plan.status == 0)
            #expect(plan.output.hasPrefix("{\n  \"formatVersion\": 1,") && plan.output.hasSuffix("\"\n}\n"))
            #expect(plan.errors.contains("1 to request") || format == "json", "\(plan.errors)")
            #expect(!plan.errors.contains("apply -") && !plan.errors.contains("saved in"), "\(plan.errors)")
        }
        let plan = try await user.run("plan", "man", "--out", "-", "--quiet")
        #expect(plan.errors == "")
        for path in ["-", "/dev/stdin"] {
            let applied = try await user.run("apply", path, input: plan.output)
            #expect(applied.status == 0, "\(applied.errors)")
        }
        #expect(try await user.run("history", "man").output.contains("1 run: "))
        let page = try await user.run("report", "man", "--out", "-")
        #expect(page.output.hasPrefix("<!DOCTYPE html>") && page.errors == "", "\(page.errors)")
    }

    @Test("a plan is recognised by its content, not by its name, byte order mark or line ends")
    func recognised() async throws {
        let user = try user()
        defer { user.remove() }
        let plan = try await user.run("plan", "man", "--out", "-").output
        let units: [UInt16] = [0xFEFF] + Array(plan.replacing("\n", with: "\r\n").utf16)
        let utf16: [UInt8] = units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        let variants: [(String, Data)] = [
            ("bom.json", Data("\u{FEFF}\(plan)".utf8)), ("plan.yaml", Data(plan.utf8)), ("plan", Data(plan.utf8)),
            ("crlf.json", Data(plan.replacing("\n", with: "\r\n").utf8)), ("powershell.json", Data(utf16)),
        ]
        for (name, bytes) in variants {
            try bytes.write(to: user.path(name))
            let applied = try await user.run("apply", name)
            #expect(applied.status == 0, "\(name): \(applied.errors)")
            for command in ["plan", "status", "validate"] {
                let other = try await user.run(command, name)
                #expect(other.status == 64)
                #expect(other.errors.contains("'\(name)' is a saved plan, and this command reads manifests"))
                #expect(other.errors.contains("sluice apply \(name)"))
            }
        }
        let edited = try await user.run("apply", "-", input: plan.replacing("1704067200", with: "1704067201"))
        #expect(edited.status == 65)
        #expect(edited.errors.contains("the plan was changed after it was made"), "\(edited.errors)")
    }

    @Test("manifests are read from standard input, with the working folder as theirs", arguments: ["-", "/dev/stdin"])
    func manifestsOnInput(path: String) async throws {
        let user = try user()
        defer { user.remove() }
        let manifests = try user.read("man/target.yaml") + "---\n" + user.read("man/flows.yaml")
        let applied = try await user.run("apply", path, "--yes", input: manifests)
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(exists("ledger.sqlite", user))
        let json = #"{"apiVersion": "sluice/v1", "kind": "Target", "metadata": {"name": 1}}"#
        let faulty = try await user.run("validate", path, input: json)
        #expect(faulty.status == 65)
        #expect(faulty.errors.contains("--> \(path):1:"), "\(faulty.errors)")
    }
}
