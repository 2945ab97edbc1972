/// `name`, or the first of name_1, name_2, … that is not taken.
package func freshName(_ name: String, isTaken: (String) -> Bool) -> String {
    var number = 1
    return freshName(name, number: &number, isTaken: isTaken)
}

/// The same for many names like one: `number` is the first to try, then the next that is free.
func freshName(_ name: String, number: inout Int, isTaken: (String) -> Bool) -> String {
    var candidate = name
    while isTaken(candidate) {
        candidate = "\(name)_\(number)"
        number += 1
    }
    return candidate
}
