import FlowRuns
import Manifests
import Text

/// Diagnostics as a JSON document: `{"formatVersion":1,"errors":…,"warnings":…,"diagnostics":[…]}`, one a line.
package func diagnosticsJSON(_ diagnostics: [Diagnostic]) -> [UInt8] {
    var all: [UInt8] = []
    streamJSON(to: { all += $0 }) { json, _ in
        json.member("formatVersion", 1)
        json.member("errors", diagnostics.count { $0.severity == .error })
        json.member("warnings", diagnostics.count { $0.severity == .warning })
        json.array("diagnostics") { json in
            for diagnostic in diagnostics { json.line { $0.members(of: diagnostic) } }
        }
    }
    return all
}

extension JSONText {
    package mutating func members(of diagnostic: Diagnostic) {
        member("code", diagnostic.code.rawValue)
        member("severity", diagnostic.severity.rawValue)
        if let place = diagnostic.place { member("place", place) }
        member("message", diagnostic.message)
        optional("suggestion", diagnostic.suggestion)
        if !diagnostic.notes.isEmpty {
            array("notes") { json in
                for note in diagnostic.notes {
                    json.element {
                        $0.member("message", note.message)
                        $0.member("place", note.place)
                    }
                }
            }
        }
    }
}
