/// ceil(a / b) for a >= 0, b > 0.
@inline(__always) func ceilDiv(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
