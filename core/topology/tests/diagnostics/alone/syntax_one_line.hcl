topology "t" { realm = "x" labels = {} }
