import ArgumentParser
import Manifests

/// What a shell offers of the manifests that the command line names so far, or of those below the working folder.
enum ManifestCompletion {
    /// The names of the targets.
    static let targets = CompletionKind.custom { words, _, prefix in
        manifests(of: words).targets.map(\.name).filter { $0.hasPrefix(prefix) }
    }

    /// The ids of the flows, and those of their names that are one word.
    static let flows = CompletionKind.custom { words, _, prefix in
        let flows = manifests(of: words).flows
        let names = flows.compactMap(\.name).filter { !$0.contains(where: \.isWhitespace) }
        return (flows.map(\.id.description) + names).filter { $0.hasPrefix(prefix) }
    }

    /// As far as they are sound: whoever is about to complete a word is not to be told of faults elsewhere.
    private static func manifests(of words: [String]) -> ManifestSet {
        let named = words.dropFirst(2).filter { word in
            !word.hasPrefix("-") && (try? ManifestFiles.read([word])) != nil
        }
        return ManifestLoader().load((try? ManifestFiles.read(Array(named)))?.sources ?? []).manifests
    }
}
