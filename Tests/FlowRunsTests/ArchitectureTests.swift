import Foundation
import Testing

/// The modules in `Sources`, and the table of the page *Architecture*.
@Suite("Architecture")
struct ArchitectureTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let sources = root.appending(path: "Sources")

    /// The names of the project's modules: the folders in `Sources`.
    private static func modules() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: sources.path).filter { !$0.hasPrefix(".") })
    }

    /// The project's modules that the files of a module import.
    private static func imports(of module: String, among modules: Set<String>) throws -> Set<String> {
        let folder = sources.appending(path: module)
        var imported: Set<String> = []
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where path.hasSuffix(".swift") {
            let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
            for line in text.split(separator: "\n") {
                guard let match = line.wholeMatch(of: /(?:@\w+ )*import (?:\w+ )?(\w+)(?:\..*)?/) else { continue }
                imported.insert(String(match.1))
            }
        }
        return imported.intersection(modules)
    }

    /// The rows of the page's table of modules: a module and what it depends on.
    private static func documented() throws -> [String: String] {
        let page = sources.appending(path: "sluice/Documentation.docc/Architecture.md")
        var rows: [String: String] = [:]
        for line in try String(contentsOf: page, encoding: .utf8).split(separator: "\n") {
            guard let match = line.wholeMatch(of: /\| `(\w+)` \| [^|]* \| ([^|]*)\|/) else { continue }
            rows[String(match.1)] = match.2.trimmingCharacters(in: .whitespaces)
        }
        return rows
    }

    @Test("each module imports exactly the modules that the architecture page lists")
    func imports() throws {
        let modules = try Self.modules()
        let documented = try Self.documented()
        #expect(documented.count > 10)
        for module in modules where !module.hasPrefix("C") {
            let row = try #require(documented[module], "\(module) is not in the table")
            if row == "all" { continue }
            let allowed = Set(row.matches(of: /`(\w+)`/).map { String($0.1) })
            #expect(try Self.imports(of: module, among: modules) == allowed, "\(module)")
        }
    }

    @Test("what 'plan' needs does not import the applier, and the applier links no networking")
    func layers() throws {
        let modules = try Self.modules()
        for module in ["Manifests", "Planner", "Ledger", "Reports"] {
            #expect(try !Self.imports(of: module, among: modules).contains("Applier"), "\(module)")
        }
        var reached: Set<String> = []
        var open = ["Applier"]
        while let module = open.popLast() {
            guard reached.insert(module).inserted else { continue }
            open += try Self.imports(of: module, among: modules)
        }
        #expect(!reached.contains("HTTPFlowService"))
    }
}
