#!/usr/bin/env python3
"""Checks bound certificates against models, both as JSON of whole numbers: check-certificate.py MODEL CERTIFICATE ...
or check-certificate.py FILE for what `pantile plan --certificate FILE` writes: the parts' bounds and the constant add up to its bound;
or for what `pantile assign-widths --json FILE` writes: its `proof` reaches its `lower_bound`, or there is no assignment.

Shares no code with Pantile. The format is described at BoundCertificate.text and LinearModel.wholeText; the rules at
BoundCertificate. A line for each pair says what is proven, or why not; then the exit code is 1.
"""
import json
import sys
from fractions import Fraction
from functools import reduce
from math import gcd


def need(condition, reason):
    if not condition:
        raise ValueError(reason)


class Model:
    """Minimised, the objective in units of its common divisor, rows over integer columns divided by theirs."""

    def __init__(self, data):
        sign = -1 if data["maximise"] else 1
        self.lower = [c[0] for c in data["columns"]]
        self.upper = [c[1] for c in data["columns"]]
        self.whole = [c[2] == 1 for c in data["columns"]]
        self.unit = max(1, reduce(gcd, (c[3] for c in data["columns"]), 0))
        self.cost = [sign * c[3] // self.unit for c in data["columns"]]
        self.constant = sign * data["constant"]
        self.sign = sign
        self.whole_objective = all(w or c == 0 for w, c in zip(self.whole, self.cost))
        self.rows = []
        for low, high, columns, values in data["rows"]:
            terms = {j: a for j, a in zip(columns, values) if a}
            if all(self.whole[j] for j in terms) and terms:
                g = reduce(gcd, terms.values(), 0)
                terms = {j: a // g for j, a in terms.items()}
                low = None if low is None else -(-low // g)
                high = None if high is None else high // g
            self.rows.append((low, high, terms))

    def cover(self, row, upper, limit, columns):
        low, high, terms = self.rows[row]
        side = high if upper else low
        need(side is not None and len(set(columns)) == len(columns) and 0 <= limit < len(columns), "cover is misshapen")
        weight = {j: a if upper else -a for j, a in terms.items()}
        for j in columns:
            need(j in weight and self.whole[j] and (self.lower[j], self.upper[j]) == (0, 1), "cover needs binaries")
        least = 0
        for j, a in weight.items():
            end = self.lower[j] if a > 0 else self.upper[j]
            need(end is not None, "cover uses a column without bound")
            least += a * end
        least += sum(sorted(abs(weight[j]) for j in columns)[: limit + 1])
        need(least > (side if upper else -side), "cover does not exceed the row")
        cut = {j: 1 if weight[j] > 0 else -1 for j in columns}
        return None, limit - sum(1 for a in cut.values() if a < 0), cut

    def rounding(self, members, multipliers, sides, divisor, complemented):
        need(divisor > 0 and all(0 <= i < len(self.rows) for i in members), "rounding is misshapen")
        total, right = {}, 0
        for i, y, upper in zip(members, multipliers, sides, strict=True):
            side = self.rows[i][1 if upper else 0]
            need(side is not None, "rounding uses a bound that is not there")
            right += y * side
            for j, a in self.rows[i][2].items():
                total[j] = total.get(j, 0) + y * a
        end = {}
        for j, a in total.items():
            if a:
                end[j] = self.upper[j] if j in complemented else self.lower[j]
                need(end[j] is not None, "rounding uses a column without bound")
                right -= a * end[j]
        quotient, rest = divmod(right, divisor)

        def rounded(a, whole):
            if not whole:
                return min(0, a)
            q, r = divmod(a, divisor)
            return (divisor - rest) * q + max(0, r - rest)

        cut, limit = {}, (divisor - rest) * quotient
        for j in end:
            direction = -1 if j in complemented else 1
            g = direction * rounded(direction * total[j], self.whole[j])
            cut[j] = g
            limit += g * end[j]
        for i, y, upper in zip(members, multipliers, sides):
            low, high, terms = self.rows[i]
            direction = -1 if upper else 1
            g = direction * rounded(-direction * y, all(self.whole[j] for j in terms))
            limit += g * (high if upper else low)
            for j, a in terms.items():
                cut[j] = cut.get(j, 0) + g * a
        cut = {j: a for j, a in cut.items() if a}
        divisor = reduce(gcd, cut.values(), 0)
        if divisor > 1 and all(self.whole[j] for j in cut):
            cut, limit = {j: a // divisor for j, a in cut.items()}, limit // divisor
        return None, limit, cut

    def leaf(self, proof, lower, upper):
        """A lower bound of the minimised objective; None when the box is empty."""
        denominator, members, multipliers = proof
        need(denominator >= 0, "negative denominator")
        costs, value = [denominator * c for c in self.cost], 0
        for i, y in zip(members, multipliers, strict=True):
            need(0 <= i < len(self.rows), "proof uses a row that is not there")
            if y == 0:
                continue
            side = self.rows[i][0 if y > 0 else 1]
            need(side is not None, "proof uses a bound that is not there")
            value += y * side
            for j, a in self.rows[i][2].items():
                costs[j] -= y * a
        for j, d in enumerate(costs):
            if d:
                end = lower[j] if d > 0 else upper[j]
                need(end is not None, "proof leaves a column without bound")
                value += d * end
        if denominator == 0:
            need(value > 0, "proof does not show an empty box")
            return None
        units = -(-value // denominator) if self.whole_objective else Fraction(value, denominator)
        return self.unit * units + self.constant


def check(model, certificate):
    for cut in certificate["cuts"]:
        row = model.rounding(*cut) if isinstance(cut[0], list) else model.cover(*cut)
        model.rows.append(row)
    bound = certificate["bound"]
    claim = None if bound is None else model.sign * Fraction(*bound)
    need(bound is None or bound[1] > 0, "denominator of the bound")
    nodes = iter(certificate["tree"])
    pending = [(model.lower, model.upper)]
    while pending:
        lower, upper = pending.pop()
        node = next(nodes, None)
        need(node is not None, "the tree ends in a branch")
        if len(node) == 2:
            j, value = node
            need(0 <= j < len(lower) and model.whole[j], "branch on a column that is not an integer variable")
            low, high = lower[j], upper[j]
            right = lower[:j] + [value + 1 if low is None else max(low, value + 1)] + lower[j + 1 :]
            left = upper[:j] + [value if high is None else min(high, value)] + upper[j + 1 :]
            pending += [(right, upper), (lower, left)]
        elif not any(l is not None and u is not None and l > u for l, u in zip(lower, upper)):
            need(0 <= node[0] < len(certificate["proofs"]), "leaf names a proof that is not there")
            value = model.leaf(certificate["proofs"][node[0]], lower, upper)
            need(value is None or (claim is not None and value >= claim), "a leaf does not reach the bound")
    need(next(nodes, None) is None, "nodes after the end of the tree")
    return "infeasible" if claim is None else f"objective {'<=' if model.sign < 0 else '>='} {Fraction(*bound)}"


def check_plan(plan):
    """The bound of a plan's certificate file: each part is checked, the sum must reach the bound that is stated."""
    total = Fraction(plan["constant"])
    for part in plan["parts"]:
        check(Model(part["model"]), part["certificate"])
        need(part["certificate"]["bound"] is not None, "a part has no point")
        total += Fraction(*part["certificate"]["bound"])
    need(total >= plan["lower_bound_bytes"], f"the parts add up to {total}, stated is {plan['lower_bound_bytes']}")
    return f"{len(plan['parts'])} parts, at least {plan['lower_bound_bytes']} bytes"


def check_widths(study):
    """The proof of a bit-width assignment."""
    proof, stated = study["proof"], study["lower_bound"]
    need(proof is not None, "there is no proof")
    claim = check(Model(proof["model"]), proof["certificate"])
    bound = proof["certificate"]["bound"]
    need((bound is None) == (study["status"] == "infeasible"), f"the status is {study['status']}")
    need(bound is None or Fraction(*bound) > stated - 1, f"the proof gives {bound}, stated is {stated}")
    return claim


def main(paths):
    if len(paths) == 1:
        try:
            with open(paths[0]) as file:
                data = json.load(file)
            print("proven:", check_widths(data) if data["schema"] == "pantile.widths/1" else check_plan(data))
            return 0
        except (ValueError, KeyError, IndexError, TypeError) as error:
            print("rejected:", error)
            return 1
    failed = len(paths) == 0 or len(paths) % 2 != 0
    for model, certificate in zip(paths[::2], paths[1::2]):
        try:
            with open(model) as m, open(certificate) as c:
                print("proven:", check(Model(json.load(m)), json.load(c)))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            print("rejected:", error)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
