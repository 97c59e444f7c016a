import Foundation
import Manifests
import Reports
import TestSupport
import Testing

@Suite("Faulty manifests")
struct FaultyManifestsTests {
    /// `SLUICE_UPDATE_GOLDEN=1` rewrites the golden files.
    @Test("each faulty manifest has the expected diagnostics", arguments: ManifestFolder.faulty.names)
    func golden(name: String) throws {
        let files = [try ManifestFolder.valid.file("target"), try ManifestFolder.faulty.file(name)]
        let diagnostics = ManifestLoader().load(files).diagnostics
        let shown = DiagnosticsReport(diagnostics, sources: files).written()

        #expect(!diagnostics.isEmpty)
        #expect(diagnostics.allSatisfy { $0.place?.file == files[1].path })
        #expect(try shown == GoldenFile("Faulty/\(name).txt").text(updatingTo: shown))
    }

    @Test("there are more than 35 faulty manifests, and all but the two with warnings have errors")
    func folder() throws {
        let names = ManifestFolder.faulty.names
        #expect(names.count > 35)
        let warned = try names.filter { name in
            let files = [try ManifestFolder.valid.file("target"), try ManifestFolder.faulty.file(name)]
            return !ManifestLoader().load(files).diagnostics.hasErrors
        }
        #expect(warned == ["far-future", "series-remainder"])
    }

    @Test("a password in an address is never shown")
    func password() throws {
        for name in ["password-in-ledger", "service-addresses", "links"] {
            let shown = try Data(contentsOf: ManifestFolder.faulty.goldenURL(name))
            let text = String(decoding: shown, as: UTF8.self)
            #expect(!text.contains("hunter2") && !text.contains("secret@"))
            #expect(text.contains("SLU0117"))
        }
    }

    @Test("every diagnostic has a unique code and a unique summary")
    func codes() {
        let codes = DiagnosticCode.allCases
        #expect(Set(codes.map(\.rawValue)).count == codes.count)
        #expect(Set(codes.map(\.summary)).count == codes.count)
        #expect(codes.map(\.rawValue) == codes.map(\.rawValue).sorted())
    }

    @Test("the faulty manifests cover every diagnostic that a small manifest can have")
    func coverage() throws {
        var found: Set<DiagnosticCode> = []
        for name in ManifestFolder.faulty.names {
            let files = [try ManifestFolder.valid.file("target"), try ManifestFolder.faulty.file(name)]
            found.formUnion(ManifestLoader().load(files).diagnostics.map(\.code))
        }
        // The first codes are covered by ExtremeManifestsTests; the last one is reported by commands, not by the
        // loader.
        let large: Set<DiagnosticCode> = [
            .encoding, .tooDeep, .tooManyAliases, .tooLarge, .tooManyErrors, .targetWithoutFlows,
            .skippedEntry, .zoneFileUnusable, .zoneRulesDiffer,
        ]
        let own = DiagnosticCode.allCases.filter { $0.rawValue < "SLU02" }
        #expect(Set(own).subtracting(large).subtracting(found).isEmpty)
    }
}
