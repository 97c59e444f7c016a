import Foundation
import Testing
import Text

@Suite("JSON text")
struct JSONTextTests {
    @Test("members keep their order, and special characters are escaped")
    func ordered() throws {
        var json = JSONText()
        json.object {
            $0.member("z", "tab\t quote\" back\\ bell\u{7} é")
            $0.member("a", -1)
            $0.array("list") {
                $0.element("x")
                $0.element { $0.member("deep", true) }
            }
            $0.object("empty") { _ in }
            $0.null("none")
        }
        #expect(
            json.text
                == #"{"z":"tab\t quote\" back\\ bell\u0007 é","a":-1,"list":["x",{"deep":true}],"empty":{},"none":null}"#
        )
        #expect(try JSONSerialization.jsonObject(with: Data(json.bytes)) is [String: Any])
    }

    @Test("characters with effects in terminals and workflows are escaped, and parse to the same text")
    func harmless() throws {
        let hostile = "\u{9B}31m \u{202E}txt \u{E0041} ##[error]x \u{2028} 👩\u{200D}🌾 #1"
        var json = JSONText()
        json.array { $0.element(hostile) }
        #expect(json.text == #"["\u009b31m \u202etxt \udb40\udc41 #\u0023[error]x \u2028 👩‍🌾 #1"]"#)
        #expect(try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String] == [hostile])
    }

    @Test("indented text has the same content")
    func indented() throws {
        func write(_ json: inout JSONText) {
            json.object {
                $0.member("a", 1)
                $0.array("b") { $0.element(2) }
            }
        }
        var pretty = JSONText(indent: true)
        write(&pretty)
        #expect(pretty.text == "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ]\n}")
    }

    @Test("draining returns the whole text in parts")
    func drained() {
        var json = JSONText()
        var text: [UInt8] = []
        json.array { array in
            for number in 0..<10 {
                array.element(number)
                text += array.drain()
            }
        }
        text += json.drain()
        #expect(String(decoding: text, as: UTF8.self) == "[0,1,2,3,4,5,6,7,8,9]")
    }
}
