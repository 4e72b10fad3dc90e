// Several blocks, successors, block arguments.
"x.region"() ({
  %c = "x.condition"() : () -> i1
  "x.branch"(%c)[^left, ^right] : (i1) -> ()
^left:
  "x.branch"(%c)[^join] : (i1) -> ()
^right:
  "x.branch"(%c)[^join] : (i1) -> ()
^join(%v: i1):
  "x.use"(%v, %c) : (i1, i1) -> ()
}) : () -> ()
