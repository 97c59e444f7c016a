import ArgumentParser
import CBuildInfo
import Manifests
import Reports
import SQLiteLedger
import Text
import YAML

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.",
        discussion: """
            EXAMPLES:
              sluice version --verbose        also the commit, the versions of libraries and the source of time zones
              sluice version --format json    the same for programs
            """)

    @OptionGroup var output: OutputOptions
    @Option(help: "Output format.") var format = Format<Version>()

    @Flag(help: "Also print the commit, the versions of libraries and the source of time zones.") var verbose = false

    func run() { output.show(Version(isVerbose: verbose), format) }
}

/// The version of the program.
struct Version: Sendable {
    static let text = "0.1.0"

    /// Whether the text includes the commit, the libraries and the source of time zones.
    var isVerbose = false

    /// The commit that the program was built from; `nil` if unknown.
    let commit: String? = {
        let commit = String(cString: sluice_commit())
        return commit.isEmpty ? nil : commit
    }()

    /// The libraries of the system, except the C library.
    var systemLibraries: [(name: String, version: String)] {
        [("libyaml", libyamlVersion())] + (sqliteVersion().map { [("sqlite", $0)] } ?? [])
    }

    /// The system's libraries, then the Swift packages of a release.
    var libraries: [(name: String, version: String)] {
        let packages = String(cString: sluice_packages()).split(separator: " ").map { package in
            let parts = package.split(separator: "/", maxSplits: 1).map(String.init)
            return (name: parts[0], version: parts.count > 1 ? parts[1] : "unknown")
        }
        return systemLibraries + packages
    }
}

extension Version {
    fileprivate var lines: [StyledText] {
        var lines: [StyledText] = ["sluice \(Self.text)"]
        guard isVerbose else { return lines }
        if let commit { lines.append("commit \(commit)") }
        for library in libraries { lines.append("\(library.name) \(library.version)") }
        let builtIn = ZoneDatabase.builtInVersion
        if let source = ZoneDatabase.system.source {
            lines.append(
                "time zones \(source.version) in \(source.folder), and \(builtIn) built in for zones it does not have")
        } else {
            lines.append("time zones \(builtIn), built in")
        }
        return lines
    }
}

extension Version: Report {
    static let renderings: [Rendering<Version>] = [
        .text { version, _ in version.lines },
        .json { version, json, _ in
            json.member("version", text)
            if let commit = version.commit { json.member("commit", commit) }
            json.object("libraries") { for (name, version) in version.libraries { $0.member(name, version) } }
            json.object("timeZones") {
                if let source = ZoneDatabase.system.source {
                    $0.member("folder", source.folder)
                    $0.member("version", source.version)
                }
                $0.member("builtIn", ZoneDatabase.builtInVersion)
            }
        },
    ]
}
