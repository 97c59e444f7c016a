import ArgumentParser
import Manifests

/// Shell completions from the manifests on the command line or, without any, from those below the working folder.
enum ManifestCompletion {
    /// The names of the targets.
    static let targets = CompletionKind.custom { words, _, prefix in
        manifests(of: words).targets.map(\.name).filter { $0.hasPrefix(prefix) }
    }

    /// The IDs of the flows, and the names that contain no spaces.
    static let flows = CompletionKind.custom { words, _, prefix in
        let flows = manifests(of: words).flows
        let names = flows.compactMap(\.name).filter { !$0.contains(where: \.isWhitespace) }
        return (flows.map(\.id.description) + names).filter { $0.hasPrefix(prefix) }
    }

    /// Loads the manifests without diagnostics: errors in them must not disturb completion.
    private static func manifests(of words: [String]) -> ManifestSet {
        let named = words.dropFirst(2).filter { word in
            !word.hasPrefix("-") && (try? ManifestFiles.read([word])) != nil
        }
        return ManifestLoader().load((try? ManifestFiles.read(Array(named)))?.sources ?? []).manifests
    }
}
