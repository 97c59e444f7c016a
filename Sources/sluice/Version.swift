import CBuildInfo
import Reports
import SQLiteLedger
import Text
import YAML

/// The version of the program.
struct Version: Sendable {
    static let text = "0.1.0"

    /// The commit that the program was built from; `nil` if unknown.
    let commit: String? = {
        let commit = String(cString: sluice_commit())
        return commit.isEmpty ? nil : commit
    }()

    /// The linked libraries, except the C library.
    var libraries: [(name: String, version: String)] {
        [("libyaml", libyamlVersion())] + (sqliteVersion().map { [("sqlite", $0)] } ?? [])
    }
}

extension Version: Report {
    static let renderings: [Rendering<Version>] = [
        .text { version, _ in ["sluice \(Self.text)"] },
        .json { version, json, _ in
            json.member("version", text)
            if let commit = version.commit { json.member("commit", commit) }
            json.object("libraries") { for (name, version) in version.libraries { $0.member(name, version) } }
        },
    ]
}
