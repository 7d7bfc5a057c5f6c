r"""Pairs of a gold answer and an answer, with the only acceptable verdict.

`=` is correct, `!` is wrong, `?` cannot be known; `=?` and `!?` allow not knowing but not the opposite. Each line is
`gold ;; answer ;; verdict`. Groups say how the answers were given.
This module is long because it is one table, a line per pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.grading.further import BOMBS, GROUPS
from ultrainteract.schema import Instruction, Task


class PairCase(NamedTuple):
    group: str
    instruction: Instruction
    answer: str
    expected: str


def _instruction(
    gold: str,
    *,
    grader: str = "math",
    task: str = "Math_CoT",
    question: str = "Find it.",
    unit: str | None = None,
    choices: tuple[str, ...] = (),
) -> Instruction:
    gold_set = tuple(gold.split(" | ")) if grader == "answer_set" else ()
    return Instruction(
        task=Task(task), dataset="collection", prompt=question, question=question, grader=grader,
        gold=None if gold_set else gold, gold_set=gold_set, unit=unit, choices=choices,
    )  # fmt: skip


FRACTIONS = r"""
\frac{1}{2} ;; 0.5 ;; =
\frac{1}{2} ;; .5 ;; =
\frac{1}{2} ;; 1/2 ;; =
\frac{1}{2} ;; \frac12 ;; =
\frac{1}{2} ;; \dfrac{2}{4} ;; =
\frac{1}{2} ;; \tfrac{1}{2} ;; =
\frac{1}{2} ;; $\frac{1}{2}$ ;; =
\frac{1}{2} ;; \(\frac{1}{2}\) ;; =
\frac{1}{2} ;; \boxed{\frac{1}{2}} ;; =
\frac{1}{2} ;; \boxed{\dfrac12} ;; =
\frac{1}{2} ;; ½ ;; =
\frac{1}{2} ;; \frac{1}{3} ;; !
\frac{1}{2} ;; \frac{2}{1} ;; !
\frac{1}{2} ;; -\frac{1}{2} ;; !
\frac{1}{2} ;; 0.51 ;; !
\frac{1}{2} ;; 2 ;; !
\frac{1}{2} ;; 12 ;; !
-\frac{7}{12} ;; \frac{-7}{12} ;; =
-\frac{7}{12} ;; \frac{7}{-12} ;; =
-\frac{7}{12} ;; -7/12 ;; =
-\frac{7}{12} ;; 7/12 ;; !
-\frac73 ;; -2\frac{1}{3} ;; =
-\frac73 ;; -2.3333333333 ;; =?
-\frac73 ;; -2.33 ;; ?
-\frac73 ;; -2.5 ;; !
\frac{1}{3} ;; 0.333 ;; ?
\frac{1}{3} ;; 0.33 ;; ?
\frac{1}{3} ;; 0.3 ;; !
\frac{1}{3} ;; 0.34 ;; !
\frac{1}{3} ;; 0.\overline{3} ;; =
\frac{1}{3} ;; 0.3333333333333333 ;; =
\frac{2}{3} ;; 0.67 ;; ?
\frac{2}{3} ;; 0.6 ;; !
1\frac{4}{5} ;; 9/5 ;; =
1\frac{4}{5} ;; 1.8 ;; =
1\frac{4}{5} ;; 1 4/5 ;; =
1\frac{4}{5} ;; \frac{4}{5} ;; !
137 \frac{1}{2} ;; 137.5 ;; =
137 \frac{1}{2} ;; \frac{275}{2} ;; =
137 \frac{1}{2} ;; 68.5 ;; !
3\frac{1}{7} ;; \frac{22}{7} ;; =
3\frac{1}{7} ;; \frac{3}{7} ;; !
\frac{\frac{1}{2}}{3} ;; \frac16 ;; =
\frac{\frac{1}{2}}{3} ;; \frac{3}{2} ;; !
\frac{10}{4} ;; 2.5 ;; =
\frac9{19} ;; \frac{9}{19} ;; =
\frac{270}7\text{ degrees} ;; \frac{270}{7} ;; =
\frac{270}7\text{ degrees} ;; \frac{270}{7}^\circ ;; =
\frac{270}7\text{ degrees} ;; 38.57 ;; ?
\frac{270}7\text{ degrees} ;; \frac{27}{7} ;; !
\frac{1}{1000000} ;; 1e-6 ;; =
\frac{1}{1000000} ;; 10^{-6} ;; =
\frac{1}{1000000} ;; 10^{-5} ;; !
.0000672 ;; 6.72 \times 10^{-5} ;; =
.0000672 ;; 6.72\times10^{-6} ;; !
.35625 ;; \frac{57}{160} ;; =
.35625 ;; 0.356 ;; ?
19.2 ;; 19.20 ;; =
19.2 ;; \frac{96}{5} ;; =
19.2 ;; 19 ;; !
19.2 ;; 19.3 ;; !
4.5 ;; \frac{9}{2} ;; =
4.5 ;; 45 ;; !
"""

INTEGERS = r"""
5 ;; 5 ;; =
5 ;; 5.0 ;; =
5 ;; 05 ;; =
5 ;; +5 ;; =
5 ;; (5) ;; =
5 ;; {5} ;; =
5 ;; \text{5} ;; =
5 ;; five ;; =
5 ;; \boxed{5}. ;; =
5 ;; $5$ ;; =
5 ;; \$5 ;; =
5 ;; **5** ;; =
5 ;; `5` ;; =
5 ;; #### 5 ;; =
5 ;; Answer: 5 ;; =
5 ;; **Answer:** 5 ;; =
5 ;; Answer:\boxed{5} ;; =
5 ;; The answer is 5. ;; =
5 ;; The final answer is $\boxed{5}$. I hope it is correct. ;; =
5 ;; Therefore, the answer is $x = 5$. ;; =
5 ;; 6 ;; !
5 ;; -5 ;; !
5 ;; 5.1 ;; !
5 ;; 50 ;; !
5 ;; 15 ;; !
5 ;; 0.5 ;; !
5 ;; 5x ;; !?
5 ;; \boxed{6} ;; !
5 ;; The answer is 6. ;; !
5 ;; The answer is not 5. ;; ?
5 ;; It cannot be 5. ;; ?
5 ;; I used 5 in the first step and got 7 ;; ?
5 ;; more than 5 ;; ?
5 ;; between 4 and 5 ;; ?
5 ;; 5 or -5 ;; !
5 ;; \pm 5 ;; !
5 ;; 5, 5 ;; ?
5 ;;  ;; !
5 ;; ? ;; ?
5 ;; unknown ;; !?
5 ;; \frac{10}{2} ;; =
5 ;; 2+3 ;; =
5 ;; \sqrt{25} ;; =
5 ;; 10/2 ;; =
5 ;; 5! ;; !
120 ;; 5! ;; =
120 ;; \binom{10}{3} ;; =
120 ;; \binom{10}{4} ;; !
1,\!000,\!000 ;; 1000000 ;; =
1,\!000,\!000 ;; 1,000,000 ;; =
1,\!000,\!000 ;; 10^6 ;; =
1,\!000,\!000 ;; 1 000 000 ;; =
1,\!000,\!000 ;; 1{,}000{,}000 ;; =
1,\!000,\!000 ;; 1 million ;; =
1,\!000,\!000 ;; 100000 ;; !
1,\!000,\!000 ;; 1,000,001 ;; !
10,\!080 ;; 10080 ;; =
10,\!080 ;; 10, 080 ;; ?
10,\!080 ;; 10.080 ;; !?
11,\! 111,\! 111,\! 100 ;; 11111111100 ;; =
1234 ;; 1,234 ;; =
1234 ;; 12,34 ;; ?
-4 ;; - 4 ;; =
-4 ;; −4 ;; =
-4 ;; –4 ;; =
-4 ;; 4 ;; !
-4 ;; (-4) ;; =
0 ;; -0 ;; =
0 ;; 0.0 ;; =
0 ;; \frac{0}{5} ;; =
0 ;; 1 ;; !
0 ;; \emptyset ;; !?
2 ;; \text{two} ;; =
3.14 ;; 3,14 ;; ?
"""

POWERS = r"""
2^{10} ;; 1024 ;; =
2^{10} ;; 1025 ;; !
1024 ;; 2^10 ;; =
2^{1000} ;; 2^{999} \cdot 2 ;; =
2^{1000} ;; 2^{1000}+1 ;; !
2^{1000} ;; 2^{1001} ;; !
10^{50} ;; 10^{50}+1 ;; !
10^{50}+1 ;; 1 + 10^{50} ;; =
9^{9^{9}} ;; 9^{9^{9}} ;; =
9^{9^{9}} ;; 9^{9^{9}}+1 ;; ?
9^{9^{9}} ;; 5 ;; ?
5 ;; 9^{9^{9}} ;; ?
5 ;; 9^{9^{9^{9}}} ;; ?
5 ;; 2^{2^{2^{2^{2^{2}}}}} ;; ?
5 ;; 10^{10^{10^{10}}} ;; ?
5 ;; 100000! ;; ?
5 ;; ((10!)!)! ;; ?
5 ;; \binom{1000000000}{500000000} ;; ?
5 ;; 7^{77^{777}} \mod 10 ;; ?
5 ;; \sum_{k=1}^{10^{12}} k ;; !?
5 ;; \prod_{k=1}^{1000000000} k ;; !?
5 ;; (x+1)^{100000} ;; ?
x^{100} ;; x^{99} \cdot x ;; =
10^{-30} ;; 10^{-31} ;; !
10^{-30} ;; \frac{1}{10^{30}} ;; =
3^{-2} ;; \frac19 ;; =
8^{2/3} ;; 4 ;; =
(-8)^{1/3} ;; -2 ;; ?
e^{2} ;; e^2 ;; =
e^{2} ;; 7.389 ;; ?
e^{2} ;; 2e ;; !
"""

ROOTS = r"""
2\sqrt{3} ;; \sqrt{12} ;; =
2\sqrt{3} ;; 2 \sqrt 3 ;; =
2\sqrt{3} ;; 2√3 ;; =
2\sqrt{3} ;; 2sqrt(3) ;; =
2\sqrt{3} ;; 2*sqrt(3) ;; =
2\sqrt{3} ;; \frac{6}{\sqrt{3}} ;; =
2\sqrt{3} ;; 3\sqrt{2} ;; !
2\sqrt{3} ;; \sqrt{6} ;; !
2\sqrt{3} ;; 3.46 ;; ?
2\sqrt{3} ;; 3.47 ;; !
2\sqrt{3} ;; 3 ;; !
\frac{\sqrt{3}}{3} ;; \frac{1}{\sqrt{3}} ;; =
\frac{\sqrt{3}}{3} ;; \sqrt{\frac{1}{3}} ;; =
\frac{\sqrt{3}}{3} ;; \frac{\sqrt{3}}{2} ;; !
\frac{-1 + \sqrt{5}}{2} ;; \frac{\sqrt{5}-1}{2} ;; =
\frac{-1 + \sqrt{5}}{2} ;; \frac{1-\sqrt{5}}{2} ;; !
\frac{1 + \sqrt{5}}{2} ;; \phi ;; !?
11 \sqrt{5} + 11 ;; 11(1+\sqrt5) ;; =
190-100\sqrt{3} ;; 10(19-10\sqrt{3}) ;; =
\sqrt[3]{2} ;; 2^{1/3} ;; =
\sqrt[3]{2} ;; 2^{\frac{1}{3}} ;; =
\sqrt[3]{2} ;; \sqrt{2} ;; !
\sqrt{3+2\sqrt{2}} ;; 1+\sqrt{2} ;; =
\sqrt{2}+\sqrt{3} ;; \sqrt{5+2\sqrt{6}} ;; =
\sqrt{2}+\sqrt{3} ;; \sqrt{5} ;; !
6\sqrt5 ;; 6\sqrt{5}\text{ units} ;; =
16 \sqrt{3} ;; 16\sqrt{3} \text{ cm}^2 ;; =
\sqrt{51} ;; 7.141428 ;; =?
12\pi ;; 12 \pi ;; =
12\pi ;; 12π ;; =
12\pi ;; 12pi ;; =
12\pi ;; 37.7 ;; ?
12\pi ;; 12 ;; !
12\pi ;; \pi 12 ;; =
12348 \pi ;; 12{,}348\pi ;; =
12348 \pi ;; 12,348\pi ;; =
\frac{\pi}{6} ;; \pi/6 ;; =
\frac{\pi}{6} ;; 30^\circ ;; ?
\frac{\pi}{6} ;; \frac16\pi ;; =
\frac{\pi}{6} ;; \frac{\pi}{3} ;; !
\pi ;; 3.14 ;; ?
\pi ;; 3.14159265358979 ;; =?
\pi ;; 3 ;; !
\pi ;; \frac{22}{7} ;; !
\frac{20000}{\pi} ;; \frac{20000}{\pi} ;; =
48\pi-72\sqrt{3} ;; 24(2\pi - 3\sqrt{3}) ;; =
48\pi-72\sqrt{3} ;; 72\sqrt{3}-48\pi ;; !
\log_2 8 ;; 3 ;; =
\log_{10} 100 ;; 2 ;; =
\ln 2 ;; \log 2 ;; ?
\ln 2 ;; \ln(2) ;; =
\sin 30^\circ ;; \frac12 ;; =
\cos\frac{\pi}{3} ;; 0.5 ;; =
\tan 45^\circ ;; 1 ;; =
"""

EXPRESSIONS = r"""
x^2-1 ;; (x-1)(x+1) ;; =
x^2-1 ;; (x+1)(x-1) ;; =
x^2-1 ;; x^{2} - 1 ;; =
x^2-1 ;; x^2+1 ;; !
x^2-1 ;; y^2-1 ;; ?
x^2-1 ;; x² − 1 ;; =
x^2-1 ;; x**2 - 1 ;; =
(a+5)(b+2) ;; (b+2)(a+5) ;; =
(a+5)(b+2) ;; ab+2a+5b+10 ;; =
(a+5)(b+2) ;; (a+2)(b+5) ;; !
(w-2)(w+2)(w^2+4) ;; w^4-16 ;; =
-13x+3 ;; 3-13x ;; =
-13x+3 ;; 13x+3 ;; !
-13x+3 ;; y = -13x+3 ;; =
-13x+3 ;; f(x) = 3 - 13x ;; =
\frac{11+9a}{20} ;; \frac{9a}{20}+\frac{11}{20} ;; =
\frac{11+9a}{20} ;; \frac{11+9b}{20} ;; ?
\frac{11+9a}{20} ;; \frac{20}{11+9a} ;; !
\frac{2}{n} ;; 2n^{-1} ;; =
\frac{2}{n} ;; \frac{n}{2} ;; !
11z^{17}(5+11z^{17}) ;; 55z^{17}+121z^{34} ;; =
5r^5 ;; 5 r^{5} ;; =
5r^5 ;; (5r)^5 ;; !
5r^5 ;; 5r^50 ;; !
3R^2 ;; 3r^2 ;; ?
3R^2 ;; R^2 \cdot 3 ;; =
\cot x ;; \frac{1}{\tan x} ;; =
\cot x ;; \frac{\cos x}{\sin x} ;; =
\cot x ;; \tan x ;; !
\sin^2 t ;; 1-\cos^2 t ;; =
\sin^2 t ;; \sin t ;; !
\sin^2 t ;; (\sin t)^2 ;; =
\sqrt{x^2 - 1} ;; x - 1 ;; !
\sqrt{x^2} ;; x ;; ?
|x-1| ;; |1-x| ;; =
2k ;; k \cdot 2 ;; =
2k ;; k+k ;; =
p - q ;; -q+p ;; =
p - q ;; q - p ;; !
n ;; n ;; =
n ;; n^1 ;; =
n ;; N ;; ?
a^b ;; b^a ;; !
\frac{x}{y} ;; x/y ;; =
\frac{x}{y} ;; x \div y ;; =
\frac{1}{2}x ;; x/2 ;; =
\frac{x}{2} ;; 1/2x ;; ?
\frac{1}{2x} ;; 1/2x ;; ?
2^n ;; 2^{n} ;; =
2^n ;; n^2 ;; !
2^{n+1} ;; 2 \cdot 2^n ;; =
(-1)^n ;; \cos(\pi n) ;; =?
x^8 + x^7 + x^6 + x^5 + x^4 + x^3 + x^2 + x + 1 ;; \frac{x^9-1}{x-1} ;; =
x^5 - x^4 + x^3 - x^2 + x - 1 ;; (x-1)(x^4+x^2+1) ;; =
6r^2-4r-24 ;; 2(3r^2-2r-12) ;; =
6r^2-4r-24 ;; 6r^2-4r+24 ;; !
-2 + 7i ;; 7i-2 ;; =
-2 + 7i ;; -2-7i ;; !
-2 + 7i ;; -2+7 i ;; =
1+274i ;; 274i + 1 ;; =
1+274i ;; 275 ;; !
i ;; -i ;; !
e^{i\pi} ;; -1 ;; =
"""

COLLECTIONS = r"""
1,-2 ;; -2, 1 ;; =
1,-2 ;; -2 and 1 ;; =
1,-2 ;; x=1 or x=-2 ;; =
1,-2 ;; x = 1, -2 ;; =
1,-2 ;; \{1, -2\} ;; =
1,-2 ;; \{-2, 1\} ;; =
1,-2 ;; 1, 2 ;; !
1,-2 ;; 1 ;; !
1,-2 ;; 1,-2,3 ;; !
1,-2 ;; \boxed{1} and \boxed{-2} ;; =
1,-2 ;; \boxed{1}, \boxed{2} ;; !
3, 5, 7 ;; 3,5,7 ;; =
3, 5, 7 ;; 7, 5, 3 ;; =
3, 5, 7 ;; 3, 5, and 7 ;; =
3, 5, 7 ;; 3; 5; 7 ;; =
3, 5, 7 ;; 357 ;; !
3, 5, 7 ;; 3, 5 ;; !
3, 5, 7 ;; 3, 5, 5 ;; !
3, 5, 7 ;; 3, 5, 7, 7 ;; ?
\{4,5,7\} ;; \{7,5,4\} ;; =
\{4,5,7\} ;; 4, 5, 7 ;; =
\{4,5,7\} ;; \{4,5\} ;; !
\{4,5,7\} ;; \{4,5,8\} ;; !
\{4,5,7\} ;; \left\{4,5,7\right\} ;; =
\{4,5,7\} ;; (4,5,7) ;; ?
\{1\pm\sqrt{5},-2\} ;; \{-2, 1+\sqrt5, 1-\sqrt5\} ;; =
\{1\pm\sqrt{5},-2\} ;; -2, 1\pm\sqrt{5} ;; =
\{1\pm\sqrt{5},-2\} ;; \{1+\sqrt{5},-2\} ;; !
1 \pm \sqrt{19} ;; 1+\sqrt{19}, 1-\sqrt{19} ;; =
1 \pm \sqrt{19} ;; 1-\sqrt{19}, 1+\sqrt{19} ;; =
1 \pm \sqrt{19} ;; x = 1 \pm \sqrt{19} ;; =
1 \pm \sqrt{19} ;; 1 ± √19 ;; =
1 \pm \sqrt{19} ;; 1+\sqrt{19} ;; !
1 \pm \sqrt{19} ;; -1 \pm \sqrt{19} ;; !
1 + \sqrt{2}, 1 - \sqrt{2} ;; 1 \pm \sqrt{2} ;; =
75^\circ, 75^\circ ;; 75^\circ, 75^\circ ;; =
75^\circ, 75^\circ ;; 75, 75 ;; =
75^\circ, 75^\circ ;; 75 ;; !?
\emptyset ;; \{\} ;; =
\emptyset ;; no solution ;; =
\emptyset ;; 0 ;; !?
\{5\} ;; 5 ;; =
(3,4) ;; (3,4) ;; =
(3,4) ;; (3, 4) ;; =
(3,4) ;; \left(3,4\right) ;; =
(3,4) ;; (4,3) ;; !
(3,4) ;; (3,5) ;; !
(3,4) ;; (3,4,5) ;; !
(3,4) ;; 3 ;; !
(3,4) ;; 34 ;; !
(3,4) ;; [3,4] ;; !?
(3,4) ;; \{3,4\} ;; ?
(3,4) ;; x=3, y=4 ;; =
(3,4) ;; x=4, y=3 ;; !?
(3,4) ;; y=4, x=3 ;; =
(3,4) ;; (x,y) = (3,4) ;; =
(3,4) ;; \langle 3,4 \rangle ;; =
(-1,6) ;; (-1, 6.0) ;; =
( 2, \frac{7 \pi}{4} ) ;; \left(2, \frac{7\pi}{4}\right) ;; =
( 2, \frac{7 \pi}{4} ) ;; \left(2, \frac{\pi}{4}\right) ;; !
\left( 3, \frac{\pi}{2} \right) ;; (3, \pi/2) ;; =
(1,-16,-4,43) ;; (1, -16, -4, 43) ;; =
(1,-16,-4,43) ;; (1, -4, -16, 43) ;; !
(4 \sqrt{2}, 4 \sqrt{2}, \sqrt{3}) ;; (\sqrt{32}, 4\sqrt{2}, \sqrt{3}) ;; =
(1,2),(3,4) ;; (3,4),(1,2) ;; =
(1,2),(3,4) ;; (1,2) and (3,4) ;; =
(1,2),(3,4) ;; (1,3),(2,4) ;; !
(1,2),(3,4) ;; \{(1,2),(3,4)\} ;; =
3:2 ;; 3 : 2 ;; =
3:2 ;; \frac{3}{2} ;; =
3:2 ;; 2:3 ;; !
3:2 ;; 6:4 ;; ?
3:2 ;; 3:4 ;; !
"""

INTERVALS = r"""
[1,2] ;; [1,2] ;; =
[1,2] ;; (1,2) ;; !
[1,2] ;; [1,2) ;; !
[1,2] ;; [1,3] ;; !
[1,2] ;; 1 \le x \le 2 ;; =
[1,2] ;; 1 \leq x \leq 2 ;; =
[1,2] ;; 1 < x < 2 ;; !
[1,2] ;; x \in [1,2] ;; =
[1,2] ;; 2 \ge x \ge 1 ;; =
[1,2] ;; \left[1,2\right] ;; =
(3,4] ;; (3,4] ;; =
(3,4] ;; 3 < x \le 4 ;; =
(3,4] ;; [3,4) ;; !
(3,4] ;; (3,4) ;; !
(2,\infty) ;; x > 2 ;; =
(2,\infty) ;; 2 < x ;; =
(2,\infty) ;; x \ge 2 ;; !
(2,\infty) ;; (2, \infty) ;; =
(2,\infty) ;; (2,+\infty) ;; =
(2,\infty) ;; (2,∞) ;; =
(2,\infty) ;; [2,\infty) ;; !
(2,\infty) ;; (-\infty,2) ;; !
(2,\infty) ;; x < 2 ;; !
(2,\infty) ;; 2 ;; !
(-\infty, 0] ;; x \le 0 ;; =
(-\infty, 0] ;; (-\infty,0) ;; !
(-\infty,2) \cup (2,\infty) ;; x \ne 2 ;; =
(-\infty,2) \cup (2,\infty) ;; x \neq 2 ;; =
(-\infty,2) \cup (2,\infty) ;; \mathbb{R} \setminus \{2\} ;; =
(-\infty,2) \cup (2,\infty) ;; (2,\infty) \cup (-\infty,2) ;; =
(-\infty,2) \cup (2,\infty) ;; x<2 \text{ or } x>2 ;; =
(-\infty,2) \cup (2,\infty) ;; (-\infty,\infty) ;; !
(-\infty,2) \cup (2,\infty) ;; (-\infty,2] \cup [2,\infty) ;; !
(-\infty,2) \cup (3,\infty) ;; (-\infty,2) U (3,\infty) ;; =
(-\infty,2) \cup (3,\infty) ;; x<2 or x>3 ;; =
(-\infty,2) \cup (3,\infty) ;; (-\infty,3) \cup (2,\infty) ;; !
(-\infty,2) \cup (3,\infty) ;; (-\infty,2), (3,\infty) ;; =
(0,9) \cup (9,36) ;; (9,36) \cup (0,9) ;; =
(0,9) \cup (9,36) ;; (0,36) ;; !
[0,2] ;; [0,1] \cup [1,2] ;; =
(-\infty,\infty) ;; \mathbb{R} ;; =
(-\infty,\infty) ;; all real numbers ;; =
(-\infty,\infty) ;; \text{all real numbers} ;; =
x \in [-2,7] ;; [-2,7] ;; =
x \in [-2,7] ;; -2 \le x \le 7 ;; =
x \in [-2,7] ;; (-2,7) ;; !
(-\sqrt{3}, \sqrt{3}) ;; -\sqrt{3} < x < \sqrt{3} ;; =
(-\sqrt{3}, \sqrt{3}) ;; (\sqrt{3}, -\sqrt{3}) ;; !
\left( -\infty, -\frac{7}{4} \right) \cup \left( -\frac{3}{2}, \infty \right) ;; (-\infty, -1.75) \cup (-1.5, \infty) ;; =
\left[ \frac{\pi^2}{8}, \frac{5 \pi^2}{4} \right] ;; [\pi^2/8, 5\pi^2/4] ;; =
\left[ \frac{\pi^2}{8}, \frac{5 \pi^2}{4} \right] ;; [\pi^2/8, 5\pi^2/8] ;; !
[-1,0) \cup (0,1] ;; [-1,1] \setminus \{0\} ;; =?
x > 3 ;; 3 < x ;; =
x > 3 ;; x \geq 3 ;; !
x > 3 ;; y > 3 ;; =?
x > 3 ;; 3 ;; !
x>1 ;; x>1 and x<3 ;; !
(1,3) ;; x>1 and x<3 ;; =
"""

MATRICES = r"""
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; \begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; =
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; \begin{bmatrix}-10\\6\end{bmatrix} ;; =
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; \begin{pmatrix} 6 \\ -10 \end{pmatrix} ;; !
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; \begin{pmatrix} -10 & 6 \end{pmatrix} ;; ?
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; (-10, 6) ;; =?
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; \begin{pmatrix} -10 \\ 6 \\ 0 \end{pmatrix} ;; !
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; -10 ;; !
\begin{pmatrix} -1/3 \\ 2/3 \\ 5/3 \end{pmatrix} ;; \begin{pmatrix} -\frac{1}{3} \\ \frac{2}{3} \\ \frac{5}{3} \end{pmatrix} ;; =
\begin{pmatrix} -1/3 \\ 2/3 \\ 5/3 \end{pmatrix} ;; \begin{pmatrix} 1/3 \\ 2/3 \\ 5/3 \end{pmatrix} ;; !
\begin{pmatrix} -1 & 0 \\ 0 & -1 \end{pmatrix} ;; \begin{bmatrix} -1 & 0 \\ 0 & -1 \end{bmatrix} ;; =
\begin{pmatrix} -1 & 0 \\ 0 & -1 \end{pmatrix} ;; \begin{pmatrix} -1 & 0 \\ 0 & 1 \end{pmatrix} ;; !
\begin{pmatrix} -1 & 0 \\ 0 & -1 \end{pmatrix} ;; \left(\begin{array}{cc} -1 & 0 \\ 0 & -1 \end{array}\right) ;; =
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; \begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix} ;; !
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; [[1, 2], [3, 4]] ;; =?
\begin{pmatrix} \sqrt{8} \\ x^2-1 \end{pmatrix} ;; \begin{pmatrix} 2\sqrt{2} \\ (x-1)(x+1) \end{pmatrix} ;; =
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; \begin{pmatrix} 1 & 2 \\ 3 \end{pmatrix} ;; ?
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; \begin{vmatrix} 1 & 2 \\ 3 & 4 \end{vmatrix} ;; ?
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; \begin{pmatrix} 1 & 2 & 3 & 4 \end{pmatrix} ;; !?
"""

UNITS = r"""
15\mbox{ cm}^2 ;; 15 ;; =
15\mbox{ cm}^2 ;; 15 \text{ cm}^2 ;; =
15\mbox{ cm}^2 ;; 15 cm^2 ;; =
15\mbox{ cm}^2 ;; 15 square centimeters ;; =
15\mbox{ cm}^2 ;; 15 sq cm ;; =
15\mbox{ cm}^2 ;; 15 \text{ cm} ;; ?
15\mbox{ cm}^2 ;; 15 \text{ m}^2 ;; !
15\mbox{ cm}^2 ;; 16 \text{ cm}^2 ;; !
15\mbox{ cm}^2 ;; 0.0015 \text{ m}^2 ;; =
864 \mbox{ inches}^2 ;; 864 ;; =
864 \mbox{ inches}^2 ;; 6 \text{ ft}^2 ;; =
864 \mbox{ inches}^2 ;; 72 ;; !
180\text{ miles} ;; 180 ;; =
180\text{ miles} ;; 180 miles ;; =
180\text{ miles} ;; 180 km ;; !
180\text{ miles} ;; 18 miles ;; !
20\text{ square units} ;; 20 ;; =
20\text{ square units} ;; 20 units^2 ;; =
90\text{ units} ;; 90 ;; =
2 \text{ euros} ;; 2 ;; =
2 \text{ euros} ;; €2 ;; =
2 \text{ euros} ;; \$2 ;; ?
5.4 \text{ cents} ;; 5.4 ;; =
5.4 \text{ cents} ;; \$0.054 ;; =
5.4 \text{ cents} ;; 5.4 dollars ;; !
5.4 \text{ cents} ;; 0.054 ;; ?
7 \text{ distinct integers} ;; 7 ;; =
7 \text{ distinct integers} ;; 7 integers ;; =
7 \text{ distinct integers} ;; 8 ;; !
\$36 ;; 36 ;; =
\$36 ;; \$36.00 ;; =
\$36 ;; 36 dollars ;; =
\$36 ;; USD 36 ;; =
\$36 ;; 3600 cents ;; =
\$36 ;; 36 cents ;; !
\$36 ;; \$35 ;; !
\$32,\!348 ;; 32348 ;; =
\$32,\!348 ;; \$32,348 ;; =
\$1012.50 ;; 1012.5 ;; =
\$18.90 ;; 18.9 ;; =
\$18.90 ;; \$18.9 ;; =
\$18.90 ;; 19 ;; !
5 ;; 5 cm ;; =
5 ;; 5\text{ apples} ;; =
5 ;; 5 apples ;; =
5 ;; 5m ;; ?
5 ;; 5 m ;; =
5 ;; 12 inches ;; !
1 ;; 12 inches ;; ?
2 ;; 120 minutes ;; ?
60 \text{ mph} ;; 60 miles per hour ;; =
60 \text{ mph} ;; 60 ;; =
60 \text{ mph} ;; 60 km/h ;; !
106^\circ ;; 106 ;; =
106^\circ ;; 106° ;; =
106^\circ ;; 106 degrees ;; =
106^\circ ;; 106^{\circ} ;; =
106^\circ ;; 74^\circ ;; !
90^\circ ;; \frac{\pi}{2} ;; ?
7.5^\circ ;; 7.5 ;; =
\text{3:30 p.m.} ;; 3:30 PM ;; =
\text{3:30 p.m.} ;; 3:30 ;; ?
\text{3:30 p.m.} ;; 3:30 a.m. ;; !?
3 hours ;; 180 minutes ;; =
3 hours ;; 3 ;; =
3 hours ;; 3 minutes ;; !
"""

PERCENT = r"""
50\% ;; 50% ;; =
50\% ;; 50 percent ;; =
50\% ;; 50\text{ percent} ;; =
50\% ;; 0.5 ;; =
50\% ;; \frac{1}{2} ;; =
50\% ;; 50 ;; ?
50\% ;; 5\% ;; !
50\% ;; 51\% ;; !
50\% ;; 0.05 ;; !
0.5 ;; 50\% ;; =
0.5 ;; 0.5\% ;; ?
50 ;; 50\% ;; ?
50 ;; 5000\% ;; =
50 ;; 40\% ;; !
33\frac{1}{3}\% ;; \frac{1}{3} ;; =
33\frac{1}{3}\% ;; 33.33\% ;; ?
12.5\% ;; \frac18 ;; =
12.5\% ;; 12.5 \% ;; =
"""

PERCENT_ASKED = r"""
50 ;; 50\% ;; =
50 ;; 50 percent ;; =
50 ;; 0.5 ;; ?
50 ;; 40\% ;; !
50\% ;; 50 ;; =
50\% ;; 40 ;; !
50\% ;; 0.5 ;; =?
"""

TEXTS = r"""
\text{Evelyn} ;; Evelyn ;; =
\text{Evelyn} ;; evelyn ;; =
\text{Evelyn} ;; \text{Evelyn} ;; =
\text{Evelyn} ;; \boxed{\text{Evelyn}} ;; =
\text{Evelyn} ;; The answer is Evelyn. ;; =
\text{Evelyn} ;; Briana ;; !
\text{Evelyn} ;; Evelyn and Briana ;; ?
\text{Evelyn} ;; 5 ;; !
\text{even} ;; even ;; =
\text{even} ;; odd ;; !
\text{odd} ;; even ;; !
\text{(B)} ;; B ;; =
\text{(B)} ;; (B) ;; =
\text{(B)} ;; \text{B} ;; =
\text{(B)} ;; \textbf{(B)} ;; =
\text{(B)} ;; C ;; !
\text{(B)} ;; b ;; =
\text{B} ;; \textbf{B} ;; =
\text{east} ;; East ;; =
\text{east} ;; west ;; !?
\text{Wednesday} ;; Wednesday. ;; =
\text{Wednesday} ;; Thursday ;; !?
\text{ellipse} ;; an ellipse ;; =
\text{ellipse} ;; parabola ;; !
\text{ellipse} ;; x^2+y^2=1 ;; ?
\text{no solution} ;; no solutions ;; =
\text{no solution} ;; \emptyset ;; =
\text{yes} ;; True ;; =
\text{yes} ;; no ;; !
5 ;; even ;; !?
"""

EQUATIONS = r"""
x=5 ;; 5 ;; =
x=5 ;; x = 5 ;; =
x=5 ;; 5 = x ;; =
x=5 ;; x=6 ;; !
x=5 ;; y=5 ;; ?
x=5 ;; 6 ;; !
5 ;; x=5 ;; =
5 ;; x=6 ;; !
5 ;; f(2) = 5 ;; =
5 ;; \text{Area} = 5 ;; =
5 ;; a = 5, b = 3 ;; ?
y = 2x + 3 ;; 2x+3 ;; =
y = 2x + 3 ;; y=3+2x ;; =
y = 2x + 3 ;; 2x - y + 3 = 0 ;; =
y = 2x + 3 ;; y = 2x - 3 ;; !
y = 2x + 3 ;; 2x-3 ;; !
y = 2x + 3 ;; x = \frac{y-3}{2} ;; =
y = -2x ;; 2x+y=0 ;; =
y = \frac{63}{32} ;; \frac{63}{32} ;; =
y = \frac{63}{32} ;; y = 1.96875 ;; =
y = \frac{63}{32} ;; x = \frac{63}{32} ;; ?
5x - 7y + 11z + 4 = 0 ;; 5x-7y+11z=-4 ;; =
5x - 7y + 11z + 4 = 0 ;; -5x+7y-11z-4=0 ;; =
5x - 7y + 11z + 4 = 0 ;; 10x-14y+22z+8=0 ;; =
5x - 7y + 11z + 4 = 0 ;; 5x-7y+11z-4=0 ;; !
84a^2 + 100b^2 - 168a - 441 = 0 ;; 84(a-1)^2+100b^2=525 ;; =
84a^2 + 100b^2 - 168a - 441 = 0 ;; 84a^2+100b^2=441 ;; !
x^2+y^2=1 ;; y^2+x^2=1 ;; =
x^2+y^2=1 ;; x^2+y^2=2 ;; !
x^2+y^2=1 ;; 1 ;; ?
x+y<3 ;; y < 3-x ;; =
x+y<3 ;; x+y>3 ;; ?
"""

BASES = r"""
10001_2 ;; 10001_2 ;; =
10001_2 ;; 10001_{2} ;; =
10001_2 ;; 10001 ;; =
10001_2 ;; 10011_2 ;; !
10001_2 ;; 17 ;; ?
10001_2 ;; 101_4 ;; ?
10001_2 ;; 10001_3 ;; !
1061_{9} ;; 1061 ;; =
1061_{9} ;; 1062 ;; !
1061_{9} ;; 1061_{\text{nine}} ;; =
4210_{5} ;; 4210_5 ;; =
1001 ;; 1001_2 ;; =
52_8 ;; 52_8. ;; =
"""

MALFORMED = r"""
5 ;; \frac{1}{2 ;; ?
5 ;; \frac{1}{} ;; ?
5 ;; \frac{1} ;; ?
5 ;; \frac{10}2} ;; ?
5 ;; \boxed{5 ;; ?
5 ;; \sqrt{25 ;; ?
5 ;; \left(5 ;; ?
5 ;; 5) ;; ?
5 ;; 3 + * 2 ;; ?
5 ;; 3 + ;; ?
5 ;; 2^ ;; ?
5 ;; \foo{5} ;; ?
5 ;; \begin{pmatrix} 5 ;; ?
5 ;; \begin{cases} 5 & x > 0 \\ 4 & x < 0 \end{cases} ;; ?
5 ;; \{5 ;; ?
5 ;; 5..0 ;; ?
5 ;; 1/0 ;; ?
5 ;; \frac{5}{0} ;; ?
\frac{1}{2 ;; \frac{1}{2 ;; ?
\frac{1}{2 ;; \frac{1}{2} ;; ?
\frac{1}{} ;; 5 ;; ?
\left(3,4 ;; (3,4) ;; ?
\sqrt{2 ;; \sqrt{2} ;; ?
3 + * 2 ;; 5 ;; ?
5 ;; \frac{\frac{\frac{1}{2}}{3} ;; ?
5 ;; \sqrt[3]{ ;; ?
\frac{1}{2} ;; \\frac{1}{2} ;; =
\frac{1}{2} ;; \frac{1}{2}\frac{} ;; ?
x^2 ;; x^{2 ;; ?
"""

PROGRAM = r"""
\frac{1}{3} ;; 0.3333333333333333 ;; =
\frac{1}{3} ;; 0.333333333 ;; =
\frac{1}{3} ;; 0.333333 ;; =
\frac{1}{3} ;; 0.33 ;; ?
\frac{1}{3} ;; 0.3 ;; !
\frac{1}{3} ;; 0.34 ;; !
\frac{1}{3} ;; 1/3 ;; =
\frac{1}{3} ;; Fraction(1, 3) ;; =
\frac{1}{3} ;; Rational(1, 3) ;; =
\frac{1}{2} ;; 0.5\n ;; =
12 ;; x = 12 ;; =
12 ;; Answer: 12 ;; =
12 ;; The answer is 12 ;; =
12 ;; The total cost is $12.00 ;; =
12 ;; 12.0 ;; =
12 ;; 12.000000000000002 ;; =
12 ;; 11.999999999999998 ;; =
12 ;; 12.5 ;; !
12 ;; 12.000001 ;; ?
12 ;; 13 ;; !
12 ;; -12 ;; !
12 ;; None ;; !
12 ;; [12] ;; =
12 ;; {12} ;; =
12 ;; (12,) ;; =
12 ;; 12\n13 ;; ?
12 ;; 13\n12 ;; ?
12 ;; 13\n14 ;; !
12 ;; 12\n12 ;; =
12 ;; Total: 30\nAnswer: 12 ;; =
12 ;; Total: 12\nAnswer: 30 ;; !
12 ;; Cost: 30\nChange: 12 ;; =
12 ;; NameError: name 'x' is not defined ;; !
12 ;; Cell In[1], line 2\n    1/0\nZeroDivisionError: division by zero ;; !
12 ;; [12, -12] ;; ?
12 ;; [13, -13] ;; !
12 ;; np.float64(12.0) ;; =
12 ;; Out: 12 ;; =
12 ;; {x: 12} ;; =
12 ;; [{x: 12}] ;; =
12 ;; Eq(x, 12) ;; =
1000001 ;; 1000000 ;; !
1000001 ;; 1000001.0 ;; =
123456789 ;; 123456789.5 ;; !?
-\frac{1}{2}, 3 ;; [-1/2, 3] ;; =
-\frac{1}{2}, 3 ;; [3, -1/2] ;; =
-\frac{1}{2}, 3 ;; [-0.5, 3.0] ;; =
-\frac{1}{2}, 3 ;; (-1/2, 3) ;; =
-\frac{1}{2}, 3 ;; {-1/2, 3} ;; =
-\frac{1}{2}, 3 ;; -0.5 3.0 ;; =
-\frac{1}{2}, 3 ;; -0.5\n3.0 ;; =
-\frac{1}{2}, 3 ;; [-1/2] ;; !
-\frac{1}{2}, 3 ;; [-1/2, 4] ;; !
2\sqrt{3} ;; 2*sqrt(3) ;; =
2\sqrt{3} ;; 3.4641016151377544 ;; =
2\sqrt{3} ;; 3.46410161513775 ;; =
2\sqrt{3} ;; 3.46 ;; ?
2\sqrt{3} ;; 3.5 ;; ?
2\sqrt{3} ;; sqrt(12) ;; =
2\sqrt{3} ;; 3*sqrt(2) ;; !
\pi ;; pi ;; =
\pi ;; 3.141592653589793 ;; =
\pi ;; 3.14 ;; ?
\pi ;; 3 ;; !
x^2-1 ;; x**2 - 1 ;; =
x^2-1 ;; (x - 1)*(x + 1) ;; =
x^2-1 ;; x**2 + 1 ;; !
-2 + 7i ;; (-2+7j) ;; =
-2 + 7i ;; -2 + 7*I ;; =
-2 + 7i ;; (-2-7j) ;; !
(3,4) ;; (3, 4) ;; =
(3,4) ;; (4, 3) ;; !
(3,4) ;; [3, 4] ;; =?
(3,4) ;; [(3, 4)] ;; =
(3,4) ;; {x: 3, y: 4} ;; =
(3,4) ;; {x: 4, y: 3} ;; !?
(2,\infty) ;; Interval.open(2, oo) ;; =
(2,\infty) ;; (2 < x) & (x < oo) ;; =
(2,\infty) ;; Interval(2, oo) ;; !
[1,2] ;; Interval(1, 2) ;; =
(-\infty,2) \cup (3,\infty) ;; Union(Interval.open(-oo, 2), Interval.open(3, oo)) ;; =
(-\infty,2) \cup (3,\infty) ;; ((-oo < x) & (x < 2)) | ((3 < x) & (x < oo)) ;; =
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; Matrix([[1, 2], [3, 4]]) ;; =
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; [[1 2]\n [3 4]] ;; =
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; [[1, 2], [3, 4]] ;; =
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; Matrix([[1, 2], [3, 5]]) ;; !
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; Matrix([[-10], [6]]) ;; =
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; [-10, 6] ;; =
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; [-10. 6.] ;; =
\begin{pmatrix} -10 \\ 6 \end{pmatrix} ;; [6, -10] ;; !
\$18.90 ;; 18.9 ;; =
\$18.90 ;; 18.900000000000002 ;; =
\$18.90 ;; $18.90 ;; =
106^\circ ;; 106.0 ;; =
106^\circ ;; 105.99999999999999 ;; =
10001_2 ;; 10001 ;; =
10001_2 ;; 0b10001 ;; =
50\% ;; 0.5 ;; =
50\% ;; 50.0% ;; =
5 ;; 9**9**9 ;; ?
5 ;; 10**10**10**10 ;; ?
5 ;; factorial(100000) ;; ?
5 ;; __import__('os').system('echo 5') ;; ?
5 ;; inf ;; !
5 ;; nan ;; !?
\text{even} ;; even ;; =
\text{even} ;; 'even' ;; =
\text{yes} ;; True ;; =
\text{yes} ;; False ;; !
\infty ;; oo ;; =
\infty ;; inf ;; =
\emptyset ;; EmptySet ;; =
\emptyset ;; [] ;; =
\log_2 7 ;; 2.807354922057604 ;; =
\sqrt{3+2\sqrt{2}} ;; sqrt(2) + 1 ;; =
\frac{11+9a}{20} ;; 9*a/20 + 11/20 ;; =
0.15 ;; 0.15000000000000002 ;; =
3.14 ;; 3.141592653589793 ;; =?
4.17 ;; 4.1666666 ;; !?
4.17 ;; 4.166666666666667 ;; =?
4.17 ;; 4.16 ;; !
"""

NUMBERS = r"""
52 ;; 52 ;; =
52 ;; 52 minutes ;; =
52 ;; The length is 52 minutes. ;; =
52 ;; 53 ;; !
992 ;; $992 ;; =
992 ;; 992.00 ;; =
6,830 ;; 6830 ;; =
6,830 ;; $6,830 ;; =
6,830 ;; 683 ;; !
8.20 ;; 8.2 ;; =
8.20 ;; $8.20 ;; =
8.20 ;; 8 ;; !
1/12 ;; \frac{1}{12} ;; =
1/12 ;; 0.083333333 ;; =
1/12 ;; 0.083 ;; ?
1/12 ;; 1/11 ;; !
June ;; June ;; =
June ;; july ;; !?
Wednesday ;; It is Wednesday. ;; =?
1.25 ;; 5/4 ;; =
1.25 ;; 1.3 ;; !
-4 ;; -4 ;; =
-4 ;; 4 ;; !
-4 ;; -4 rounds per year ;; =
"""

CHOICES = r"""
B ;; B ;; =
B ;; (B) ;; =
B ;; b ;; =
B ;; B. ;; =
B ;; B) 120 ;; =
B ;; (B) 120 ;; =
B ;; Answer: B ;; =
B ;; The answer is (B). ;; =
B ;; The correct option is B ;; =
B ;; option b ;; =
B ;; \boxed{B} ;; =
B ;; \text{(B)} ;; =
B ;; \boxed{\text{B}} ;; =
B ;; 120 ;; =
B ;; 120.0 ;; =
B ;; \boxed{120} ;; =
B ;; A ;; !
B ;; C ;; !
B ;; 24 ;; !
B ;; C) 625 ;; !
B ;; B) 625 ;; ?
B ;; 121 ;; !
B ;; The answer is not B. ;; ?
B ;; A or B ;; ?
B ;; A, B ;; ?
B ;; F ;; ?
B ;; all of them ;; ?
B ;; Both A and B are right. ;; ?
Option 2 ;; Option 2 ;; =
Option 2 ;; option 1 ;; !
120 ;; B ;; =
"""

BOOLEANS = r"""
yes ;; yes ;; =
yes ;; Yes. ;; =
yes ;; YES ;; =
yes ;; True ;; =
yes ;; Answer: Yes ;; =
yes ;; The answer is yes. ;; =
yes ;; Yes, because it is so. ;; =
yes ;; \boxed{\text{Yes}} ;; =
yes ;; **Yes** ;; =
yes ;; no ;; !
yes ;; No, yes ;; ?
yes ;; False ;; !
yes ;; maybe ;; ?
yes ;; not yes ;; ?
yes ;; yesterday ;; ?
no ;; No ;; =
no ;; no. ;; =
no ;; nobody knows ;; ?
no ;; None ;; ?
no ;; false ;; =
no ;; The answer is not no. ;; ?
true ;; yes ;; =
"""

SHORT_TEXTS = r"""
Bangkok, Thailand ;; bangkok thailand ;; =
Bangkok, Thailand ;; Bangkok ;; ?
Bangkok, Thailand ;; Paris ;; !
The Beatles ;; Beatles ;; =
The Beatles ;; the beatles. ;; =
The Beatles ;; Answer: The Beatles ;; =
The Beatles ;; The answer is The Beatles. ;; =
The Beatles ;; The Rolling Stones ;; !
José Echegaray y Eizaguirre ;; Jose Echegaray y Eizaguirre ;; =
José Echegaray y Eizaguirre ;; José Echegaray ;; ?
"Queen City" ;; Queen City ;; =
in 1896 ;; 1896 ;; =?
1896 ;; 1897 ;; !
48,982 ;; 48982 ;; =
7 October 1978 ;; October 7, 1978 ;; =
7 October 1978 ;; 8 October 1978 ;; !
7 October 1978 ;; 1978 ;; ?
seven ;; 7 ;; =
Brooklyn, New York ;; New York ;; ?
yes ;; Yes ;; =
yes ;; no ;; !
no ;; No, they are not. ;; =
National Broadcasting Company ;; NBC ;; ?
Yahoo! ;; Yahoo ;; =
director ;; film director ;; ?
"""

SETS = r"""
2004 ;; 2004 ;; =
2004 ;; 2005 ;; !
2004 ;; [2004] ;; =
2004 ;; 2004.0 ;; =
Bangkok, Thailand ;; Bangkok, Thailand ;; =
Bangkok, Thailand ;; ['Bangkok, Thailand'] ;; =
Bangkok, Thailand ;; Bangkok ;; ?
Bangkok, Thailand ;; Thailand, Bangkok ;; !?
a | b ;; a, b ;; =
a | b ;; b, a ;; =
a | b ;; ['b', 'a'] ;; =
a | b ;; b\na ;; =
a | b ;; a|b ;; =
a | b ;; a and b ;; =
a | b ;; a ;; !
a | b ;; a, b, c ;; !
a | b ;; a, c ;; !
a | b ;; a, a ;; !
10,000 ;; 10000 ;; =
10,000 ;; 1000 ;; !
20 December 2003 ;; December 20, 2003 ;; =
20 December 2003 ;; 2003-12-20 ;; =
20 December 2003 ;; 21 December 2003 ;; !
20 December 2003 ;; December 2003 ;; ?
5 ;; five ;; =?
5 ;; 5 years ;; =?
5 ;; 5.0000000001 ;; =
"The Song" ;; The Song ;; =
Name (USA) ;; Name ;; =
Name[1] ;; Name ;; =
São Paulo ;; Sao Paulo ;; =
"""

MIXED = r"""
(2,\infty) ;; \{x \mid x > 2\} ;; =
(2,\infty) ;; \{x | x > 2\} ;; =
(2,\infty) ;; \{x \in \mathbb{R} : x > 2\} ;; =
[3,\infty) ;; x \geq 3 ;; =
2, 3 ;; x = 2 \text{ or } x = 3 ;; =
2, 3 ;; x=2 \text{ and } x=3 ;; =
\frac{3}{4} ;; 0.75\text{ cm} ;; =
1000 ;; 1e3 ;; =
300000000 ;; 3.0 \times 10^8 ;; =
\text{undefined} ;; does not exist ;; ?
\text{undefined} ;; undefined ;; =
\infty ;; -\infty ;; !
\infty ;; infinity ;; =
\infty ;; 5 ;; !
5 ;; \infty ;; !
\sqrt{-1} ;; i ;; =
\frac{1+i}{\sqrt{2}} ;; e^{i\pi/4} ;; =
(x+1)^2+3 ;; x^2+2x+4 ;; =
2x+3y=6 ;; y = -\frac{2}{3}x+2 ;; =
2x+3y=6 ;; y = \frac{2}{3}x+2 ;; !
x=1, y=2 ;; y=2, x=1 ;; =
x=1, y=2 ;; x=2, y=1 ;; !
x=1, y=2 ;; (1,2) ;; =
\{(1,2),(2,1)\} ;; \{(2,1),(1,2)\} ;; =
\frac{\sqrt{2}}{2} ;; \sin 45^\circ ;; =
\log_3 5 ;; \frac{\ln 5}{\ln 3} ;; =
\log_3 5 ;; \frac{\log 5}{\log 3} ;; =
\log_3 5 ;; \log_5 3 ;; !
100\% ;; 1 ;; =
25 ;; 25^\circ C ;; =
5 ;; \boxed{x = 5} ;; =
5 ;; \boxed{5\text{ cm}} ;; =
5 ;; \boxed{\$5} ;; =
5 ;; \boxed{5}\text{ cm} ;; =
5 ;; \boxed{\boxed{5}} ;; =
5 ;; \boxed{} ;; ?
5 ;; The answer is 5 because 3+2=5. ;; ?
5 ;; So 2+3=5. ;; =?
5 ;; First \boxed{3}, then \boxed{5} ;; =?
5 ;; First \boxed{5}, but no: \boxed{6} ;; !?
5 ;; about 5 ;; =
5 ;; \approx 5 ;; =
5 ;; 5 \approx 5.2 ;; ?
5 ;; There are 5 apples. ;; =
5 ;; There are 6 apples. ;; ?
5 ;; 5 of the 20 apples ;; ?
5 ;; She has 5 apples left. ;; =
5 ;; She has 15 apples and eats 10. ;; ?
9 ;; 3^2 ;; =
\frac12 ;; 2^-1 ;; =
3 ;; -(-3) ;; =
x^{10} ;; x^10 ;; =
\frac{1}{2}\pi ;; \frac{\pi}{2} ;; =
12 ;; 3 \times 4 ;; =
12 ;; 3 \cdot 4 ;; =
12 ;; 3*4 ;; =
12 ;; 12.00 ;; =
1,2,,3 ;; 1,2,3 ;; ?
1,2,3 ;; 1,2,,3 ;; ?
1.5 ;; 1.5.2 ;; ?
C, A, B ;; A, B, C ;; =
\text{A, B, C} ;; A, B, C ;; =?
\text{Monday} ;; Mon ;; ?
\text{Saturday} ;; Sunday ;; !?
\text{acute} ;; acute triangle ;; ?
\text{increasing} ;; it increases ;; ?
\text{hyperbola} ;; parabola ;; !?
\text{A} ;; a ;; =
\text{A} ;; B ;; !
\text{A} ;; \text{A. 5} ;; ?
\text{C} ;; \text{(C)} 12 ;; ?
-1 ;; i^2 ;; =
0.1 ;; \frac{1}{10} ;; =
0.1 ;; .10 ;; =
0.10 ;; 0.1 ;; =
0.999 ;; 1 ;; !
1 ;; 0.999 ;; !
1 ;; 0.\overline{9} ;; =
1 ;; 0.9999999 ;; !?
100 ;; 99.9 ;; !
100 ;; 100.1 ;; !
10 ;; 1 0 ;; ?
7 ;; \lfloor 7.5 \rfloor ;; =
7 ;; |{-7}| ;; =
7 ;; |-7| ;; =
\sqrt{2} ;; 1.414 ;; ?
\sqrt{2} ;; 1.41421356237 ;; ?
\sqrt{2} ;; 1.5 ;; !
\sqrt{2} ;; \sqrt{3} ;; !
\sqrt{2} ;; -\sqrt{2} ;; !
\sqrt{2} ;; \pm\sqrt{2} ;; !
\pm\sqrt{2} ;; \sqrt{2}, -\sqrt{2} ;; =
\pm\sqrt{2} ;; \sqrt{2} ;; !
2 \pm i ;; 2+i, 2-i ;; =
2 \pm i ;; 2-i ;; !
a+bi ;; a-bi ;; !
a+bi ;; bi+a ;; =
x_1 + x_2 ;; x_2 + x_1 ;; =
x_1 + x_2 ;; x_1 - x_2 ;; !
\alpha+\beta ;; \beta+\alpha ;; =
n(n+1)/2 ;; \frac{n(n+1)}{2} ;; =
n(n+1)/2 ;; \frac{n^2+n}{2} ;; =
n(n+1)/2 ;; \frac{n(n-1)}{2} ;; !
n! ;; n(n-1)! ;; =?
n! ;; n ;; !?
\binom{n}{2} ;; \frac{n(n-1)}{2} ;; =
f(x)=x+1 ;; x+1 ;; =
f(x)=x+1 ;; f(x)=x+2 ;; !
f(x)=x+1 ;; g(x)=x+1 ;; =?
e^x ;; e^{x} ;; =
e^x ;; exp(x) ;; =
e^x ;; x^e ;; !
\ln(x^2) ;; 2\ln x ;; ?
\sin(2x) ;; 2\sin x\cos x ;; =
\sin(2x) ;; 2\sin x ;; !
\frac{x^2-1}{x-1} ;; x+1 ;; =
\frac{1}{x}+\frac{1}{y} ;; \frac{x+y}{xy} ;; =
\frac{1}{x}+\frac{1}{y} ;; \frac{2}{x+y} ;; !
x'=1 ;; x=1 ;; ?
[0,1] ;; [0, 1] ;; =
[0,1] ;; 0\leq x\leq1 ;; =
\left(0,1\right) ;; 0<x<1 ;; =
0<x<1 ;; 0<y<1 ;; =?
0<x<1 ;; (0,1) ;; =
0<x<1 ;; (0,1] ;; !
x<0 \text{ or } x>1 ;; (-\infty,0)\cup(1,\infty) ;; =
x<0 \text{ or } x>1 ;; 0<x<1 ;; !
\begin{bmatrix} 1 \\ 2 \end{bmatrix} ;; \begin{pmatrix} 1.0 \\ 2.0 \end{pmatrix} ;; =
\begin{pmatrix} 1 & 2 \end{pmatrix} ;; (1,2) ;; =?
\begin{pmatrix} 1 & 2 \end{pmatrix} ;; \begin{pmatrix} 1 & 2 \end{pmatrix}^T ;; ?
5\text{ m} ;; 500\text{ cm} ;; =
5\text{ m} ;; 5\text{ cm} ;; !
5\text{ m} ;; 500 ;; ?
5\text{ m} ;; 50 ;; !?
2\text{ hours} ;; 2\text{ h} ;; =
2\text{ hours} ;; 7200 s ;; =
2.5\text{ kg} ;; 2500 g ;; =
2.5\text{ kg} ;; 2.5 pounds ;; !
30 \text{ mph} ;; 30 \text{ miles/hour} ;; =
30 \text{ mph} ;; 30 \frac{\text{miles}}{\text{hour}} ;; =?
1\text{ dozen} ;; 12 ;; ?
12 ;; 1 dozen ;; ?
5 million ;; 5,000,000 ;; =
5 million ;; 5 billion ;; !
\$5 \text{ million} ;; 5000000 ;; =
3 apples ;; 3 oranges ;; ?
3 apples ;; 4 oranges ;; !
3 per day ;; 3 per week ;; ?
0 ;; none ;; ?
0 ;; zero ;; =
0 ;; \text{no solution} ;; !?
-5 ;; minus 5 ;; =?
-5 ;; negative 5 ;; =?
50 ;; fifty ;; =
2:30 ;; 2:30 ;; =
1/2 ;; 1:2 ;; =
1/2 ;; 2:1 ;; !
10:00 ;; 10 ;; ?
\text{10:00 AM} ;; 10 a.m. ;; =
\text{10:00 AM} ;; 10 p.m. ;; !?
2^{3^2} ;; 512 ;; =
2^{3^2} ;; 64 ;; !
(2^3)^2 ;; 64 ;; =
-2^2 ;; -4 ;; =
-2^2 ;; 4 ;; !
(-2)^2 ;; 4 ;; =
\frac{-b \pm \sqrt{b^2-4ac}}{2a} ;; \frac{-b + \sqrt{b^2-4ac}}{2a}, \frac{-b - \sqrt{b^2-4ac}}{2a} ;; =
\frac{-b \pm \sqrt{b^2-4ac}}{2a} ;; \frac{b \pm \sqrt{b^2-4ac}}{2a} ;; !
1+\sqrt{2}+\sqrt{3} ;; \sqrt{3}+\sqrt{2}+1 ;; =
\frac{\sqrt{6}+\sqrt{2}}{4} ;; \cos 15^\circ ;; =
\frac{\sqrt{6}-\sqrt{2}}{4} ;; \cos 15^\circ ;; !
\arctan 1 ;; \frac{\pi}{4} ;; =
\tan^{-1}(1) ;; \frac{\pi}{4} ;; =
\cot^{-1}(1) ;; \frac{\pi}{4} ;; =?
\int_0^1 x\,dx ;; \frac12 ;; =?
\sum_{k=1}^{10} k ;; 55 ;; =
\sum_{k=1}^{10} k ;; 54 ;; !
\lim_{x \to 0} \frac{\sin x}{x} ;; 1 ;; =?
7 \pmod{12} ;; 7 ;; ?
7 \pmod{12} ;; 7 \pmod{12} ;; =
A < B < C ;; A < B < C ;; =
\triangle ABC ;; \triangle ABC ;; =
"""

PROGRAM_FURTHER = r"""
5 ;; 5\n\n ;; =
5 ;; result = 5 ;; =
5 ;; The number of ways is 5 ;; =
5 ;; The number of ways is 6 ;; !?
5 ;; Number of ways: 5 ;; =
5 ;; Number of ways: 6 ;; !
5 ;; 3\n4\n5 ;; ?
5 ;; 5 10 ;; ?
5 ;; (5, 10) ;; ?
5 ;; {'apples': 5} ;; =?
5 ;; {'apples': 5, 'pears': 6} ;; ?
5 ;; True ;; !?
5 ;; [] ;; !
5 ;; set() ;; !
5 ;; <function f at 0x7f3c> ;; ?
5 ;; x ;; !?
5 ;; 5.000000000000001 ;; =
5 ;; 4.999999999 ;; =?
5 ;; 5e0 ;; =
5 ;; 0.5e1 ;; =
5 ;; 5/1 ;; =
5 ;; sqrt(25) ;; =
5 ;; Decimal('5') ;; =
5 ;; Decimal('5.00') ;; =
5 ;; 5L ;; ?
5 ;; 5 units ;; =
5 ;; $5.00 ;; =
5 ;; 5% ;; ?
0.05 ;; 5% ;; =
5 ;; 1_000 ;; !?
31,250 ;; 31250 ;; =
31,250 ;; 31,250 ;; =
31,250 ;; (31, 250) ;; !?
31,250 ;; 31250.0 ;; =
2 \text{ and } 3 ;; {2, 3} ;; =
2, 3 ;; 2, 3 ;; =
2, 3 ;; 2 3 ;; =
2, 3 ;; 2\n3 ;; =
2, 3 ;; x = 2\nx = 3 ;; =?
2, 3 ;; [2.0000000000000004, 2.9999999999999996] ;; =
2, 3 ;; [2, 3, 4] ;; !
2, 3 ;; [2] ;; !
1, 4, 9 ;; [1, 4, 9] ;; =
1, 4, 9 ;; range(1, 10) ;; ?
\frac{\pi}{4} ;; pi/4 ;; =
\frac{\pi}{4} ;; 0.7853981633974483 ;; =
\frac{\pi}{4} ;; 45.0 ;; !?
\frac{\pi}{4} ;; math.pi/4 ;; =
e ;; 2.718281828459045 ;; =
e ;; E ;; =
e^2 ;; exp(2) ;; =
\ln 2 ;; log(2) ;; =
\ln 2 ;; 0.6931471805599453 ;; =
x^2+2x+1 ;; (x + 1)**2 ;; =
x^2+2x+1 ;; x**2 + 2*x + 1 ;; =
x^2+2x+1 ;; x**2 + 2*x ;; !
\frac{x}{y} ;; x/y ;; =
\frac{2}{3} ;; 0.6666666666666666 ;; =
\frac{2}{3} ;; 0.6666666666666667 ;; =
\frac{2}{3} ;; 0.66666 ;; ?
\frac{2}{3} ;; 0.667 ;; ?
\frac{2}{3} ;; 0.66 ;; ?
\frac{2}{3} ;; 2/3 ;; =
\frac{2}{3} ;; Fraction(2, 3) ;; =
\frac{2}{3} ;; Fraction(3, 2) ;; !
1\frac{2}{3} ;; 1.6666666666666667 ;; =
10\sqrt{2} ;; 14.142135623730951 ;; =
10\sqrt{2} ;; 14.14 ;; ?
10\sqrt{2} ;; 14 ;; !
10\sqrt{2} ;; 10*2**0.5 ;; =
6 - 5i ;; (6-5j) ;; =
6 - 5i ;; 6 - 5*I ;; =
6 - 5i ;; (6-5.000000000000001j) ;; =
\text{Evelyn} ;; Evelyn ;; =
\text{Evelyn} ;; The fastest is Evelyn ;; =?
\text{Evelyn} ;; ['Evelyn'] ;; =
\text{(B)} ;; B ;; =
\text{Wednesday} ;; Thursday ;; !?
3:2 ;; 3:2 ;; =
3:2 ;; 1.5 ;; =
x \in [-2,7] ;; Interval(-2, 7) ;; =
x \in [-2,7] ;; (-2 <= x) & (x <= 7) ;; =
x \in [-2,7] ;; -2 <= x <= 7 ;; =
x \in [-2,7] ;; And(-2 <= x, x <= 7) ;; =?
\{4,5,7\} ;; [4, 5, 7] ;; =
\{4,5,7\} ;; {4, 5, 7} ;; =
\{4,5,7\} ;; FiniteSet(4, 5, 7) ;; =
\{4,5,7\} ;; [7, 5, 4] ;; =
\{4,5,7\} ;; [4, 5] ;; !
\begin{pmatrix} 1 \\ 2 \end{pmatrix} ;; [[1]\n [2]] ;; =
\begin{pmatrix} 1 \\ 2 \end{pmatrix} ;; array([1, 2]) ;; =
\begin{pmatrix} 1 \\ 2 \end{pmatrix} ;; (1, 2) ;; =?
\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} ;; array([[1., 2.],\n       [3., 4.]]) ;; =
y = 2x + 3 ;; 2*x + 3 ;; =
y = 2x + 3 ;; Eq(y, 2*x + 3) ;; =
y = 2x + 3 ;; y = 2*x + 3 ;; =
y = 2x + 3 ;; {y: 2*x + 3} ;; =
1001 ;; Traceback (most recent call last):\n  File "x.py", line 1\nValueError: bad ;; !
1001 ;; ---\nModuleNotFoundError: No module named 'z' ;; !
"""

NOTATIONS = r"""
1 - \frac{1}{\mathrm{e}} ;; 1-1/e ;; =
19, 46, and 82 ;; 19, 46, \text{ and } 82 ;; =
19, 46, and 82 ;; 21, 36, and 82 ;; !
D = (0, 1) ;; D = (0, 1.5) ;; !
\pm 2021 ;; {-2021, 2021} ;; =
12:00 ;; 1:00 ;; !?
20:34 ;; 20:34:00 ;; =?
20:34 ;; 08:34 \text{ P.M.} ;; =?
2^6 \cdot 3^5 ;; 2^6 3^5 ;; =?
7, -2, \text{ and } -5 ;; -5,-2,7 ;; =
\sin(90^{\circ}-x) ;; \cos(x) ;; =
1+2i ;; i(2-i) ;; =
\frac{1}{3} ;; \frac{1}{3}. ;; =
\frac{1}{3} ;; $\frac{1}{3}.$ ;; =
\frac{1}{3} ;; \[\frac{1}{3}.\] ;; =
\frac{1}{3} ;; $\frac{1}{3},$ ;; =
1, 2, 3 ;; 1, 2, 3, ... ;; ?
5 ;; $5 \text{ cm}.$ ;; =
2 ;; 2^{10}. ;; !
1000.99 ;; 1,000.99$ ;; =
1000.99 ;; 1,000.99€ ;; =
\{x, x - 1\} ;; \{x - 1, x\} ;; =
10\% ;; 10 ;; =?
40\pi ;; 125.663 ;; ?
[1, 2, 3] ;; (1, 3, 2) ;; !?
[x, x + 1] ;; [x, 1 + x] ;; =
10weeks ;; 10 ;; =
5x - 7y + 11z + 4 = 0 ;; x + y - z + 2 = 0 ;; !
\sin(x)=\frac{42}{59} ;; \cos(x)=\frac{42}{59} ;; !?
\frac{v_{0}}{r_{0}} \frac{1}{\left(1+r / r_{0}\right)^{3 / 2}} ;; \frac{v_0}{r_0}(1+r/r_0)^{-3/2} ;; =
\begin{matrix} \frac12 \\ 1 \end{matrix} ;; [0.5, 1] ;; =?
x \in [0.5, \infty) ;; [1/2, \infty) ;; =
[-3,2] ;; (-3,2) ;; !
[1, 2) ;; [x, y) ;; !
x = 1, y = 2, z = 3 ;; 1, 2, 3 ;; =
f(x) = 2x + 3 ;; y = 2x + 3 ;; =
f(x) = 2x + 3 ;; 2x + 3 ;; =
2.314814814815 \times 10^{-3} ;; \frac{1}{432} ;; =?
[-4,0] ;; \[ \boxed{[-4, 0]} \] ;; =
(-6,10) ;; x \in (-6,10) ;; =
\text{C} ;; $\boxed{\text{(C)}}.$ ;; =
11111111100 ;; 11,\! 111,\! 111,\! 100 ;; =
32349 ;; 32, 349 ;; !?
\text{E} ;; $E$ ;; =
1,2 ;; $\boxed{1}\boxed{2}$ ;; =
4 ;; 4\sqrt{2} ;; !
\sqrt{17} ;; 4.123105625617661 ;; =?
1/3 ;; $k = \frac{1}{3}$ ;; =
10/9 ;; Answer $ \frac{10}{9} $ ;; =?
9 ;; Answer \[ 9 \] ;; =?
28\% ;; $28$ % ;; =
28\% ;; $\boxed{28}$ pct ;; =?
28 ;; 28/100 ;; !
0.28 ;; 28 ;; !?
\frac{1}{2004!} ;; \frac{1}{2006!} ;; !?
\frac{1}{2^{99}} ;; \frac{1}{2^{98}} ;; !
(3,1) ;; \{1,3\} ;; !?
x^2+1 ;; x^{2}+1\text{ for all }x ;; =?
x+y ;; y+x ;; =
\frac{1}{x} ;; x^{-1} ;; =
x ;; x^2/x ;; =
6 ;; 6\text{ (six)} ;; =?
6 ;; 6 (six) ;; =?
6 ;; six apples ;; =?
12 ;; a dozen ;; ?
0.5 ;; half ;; ?
\frac12 ;; one half ;; ?
50 ;; 50-60 ;; ?
5 ;; 5-6 ;; !?
2-5 ;; 2 to 5 ;; ?
2.50 ;; $2.5 ;; =
2.50 ;; 2.5 dollars ;; =
2.50 ;; 250 cents ;; ?
1{,}000 ;; 1000 ;; =
1e-3 ;; 0.001 ;; =
-0.5 ;; -\frac{1}{2} ;; =
-\frac{1}{2} ;; \frac{-1}{2} ;; =
-\frac{1}{2} ;; \frac{1}{-2} ;; =
-\frac{a}{b} ;; \frac{-a}{b} ;; =
-\frac{a}{b} ;; \frac{a}{b} ;; !
\sqrt{\frac{1}{2}} ;; \frac{\sqrt2}{2} ;; =
3\times 10^5 ;; 300000 ;; =
3\times 10^5 ;; 3\times 10^4 ;; !
\frac{3}{4}\text{ hours} ;; 45 minutes ;; =
\frac{3}{4}\text{ hours} ;; 45 ;; ?
\frac{\sqrt{3}}{2}\text{ m} ;; \frac{\sqrt{3}}{2} ;; =
\frac{\sqrt{3}}{2}\text{ m} ;; \frac{\sqrt{3}}{2}\text{ cm} ;; ?
25\pi ;; 25\pi\text{ square feet} ;; =
25\pi ;; 25 ;; !
(2, 5) ;; 2, 5 ;; =?
(2, 5) ;; (2; 5) ;; =
(2, 5) ;; x = 2 \text{ and } y = 5 ;; =
(2, 5) ;; \begin{pmatrix} 2 \\ 5 \end{pmatrix} ;; =?
(-\infty, -1) \cup (1, \infty) ;; |x| > 1 ;; =?
(-1, 1) ;; |x| < 1 ;; =?
(-1, 1) ;; -1 < x < 1 ;; =
x \le 3 ;; (-\infty, 3] ;; =
x \le 3 ;; (-\infty, 3) ;; !
x < 3 ;; x > 3 ;; !
1 < x \leq 4 ;; (1, 4] ;; =
1 < x \leq 4 ;; 1 \leq x < 4 ;; !
\mathbb{R} ;; (-\infty, \infty) ;; =
\mathbb{R} ;; all real numbers ;; =
\mathbb{R} ;; \mathbb{Z} ;; !?
\emptyset ;; \text{no real solutions} ;; =
\text{None} ;; none ;; =
\text{No} ;; no ;; =
\text{True} ;; yes ;; =
\text{red} ;; blue ;; !
\text{neither} ;; neither even nor odd ;; ?
x=2,y=3 ;; (x, y) = (2, 3) ;; =
x=2,y=3 ;; \{x: 2, y: 3\} ;; ?
a=3 ;; b=3 ;; ?
\angle A = 30^\circ ;; 30 ;; =
30^\circ ;; \angle ABC = 30^\circ ;; =
30 ;; m\angle ABC = 30 ;; =?
k = 3 ;; k=3.0 ;; =
2x^2 ;; 2x^{2} + C ;; !?
x^2 + C ;; x^2+c ;; ?
\frac{x^3}{3}+C ;; \frac{1}{3}x^3 + C ;; =
\frac{dy}{dx} = 2x ;; 2x ;; =?
\vec{v} = (1,2) ;; (1,2) ;; =?
\langle 1, 2 \rangle ;; (1, 2) ;; =
2\mathbf{i} + 3\mathbf{j} ;; 2i+3j ;; =
2\mathbf{i} + 3\mathbf{j} ;; \langle 2, 3\rangle ;; ?
\frac{1}{2} + \frac{1}{3} ;; \frac56 ;; =
0.\overline{12} ;; \frac{4}{33} ;; =
0.\overline{12} ;; 0.12 ;; ?
0.1\overline{6} ;; \frac16 ;; =
3.\overline{3} ;; \frac{10}{3} ;; =
"""

PROGRAM_NOTATIONS = r"""
0.\overline{12} ;; 0.12121212121212122 ;; =
12 ;; The answer is: 12 ;; =
12 ;; 12 apples ;; =
12 ;; Answer = 12 ;; =
12 ;; Total = 12.0 ;; =
12 ;; 3 * 4 = 12 ;; =?
12 ;; x=12, y=5 ;; ?
12 ;; 12, 5 ;; ?
12 ;; Step 1: 12\nStep 2: 15 ;; !?
12 ;; 5 + 7 ;; =
12 ;; 1.2e1 ;; =
12 ;; 1.2e+01 ;; =
1200000 ;; 1.2e+06 ;; =
1.2 \times 10^{-7} ;; 1.2e-07 ;; =
0 ;; 1e-17 ;; ?
0 ;; 0.0 ;; =
0 ;; -0.0 ;; =
0 ;; 5.551115123125783e-17 ;; =?
\frac{1}{3} ;; 0.3333 ;; ?
\frac{1}{7} ;; 0.14285714285714285 ;; =
\sqrt{2} ;; 1.4142135623730951 ;; =
\sqrt{2} ;; sqrt(2) ;; =
\sqrt{2} ;; 2**(1/2) ;; =
\sqrt{2} ;; 2**0.5 ;; =
(x+1)(x-1) ;; x**2 - 1 ;; =
5 ;; 5.00000 ;; =
5 ;; [5, 5] ;; ?
5 ;; 5 5 ;; ?
5 ;; result: 5.0 units ;; =
2:30 \text{ p.m.} ;; 2:30 PM ;; =
2:30 \text{ p.m.} ;; 14:30 ;; ?
\$5.50 ;; 5.5 ;; =
\$5.50 ;; $5.50 ;; =
\$5.50 ;; 550 ;; ?
25\% ;; 0.25 ;; =
25\% ;; 25.0 ;; ?
25\% ;; 25% ;; =
1, 2, 3 ;; 1 2 3 ;; =
1, 2, 3 ;; [1, 2, 3] ;; =
1, 2, 3 ;; {1, 2, 3} ;; =
1, 2, 3 ;; 1\n2\n3 ;; =
1, 2, 3 ;; 123 ;; !
(1, 2) ;; 1 2 ;; =?
(1, 2) ;; (1.0, 2.0) ;; =
(1, 2) ;; Point2D(1, 2) ;; =
(1, 2) ;; x = 1, y = 2 ;; =
(1, 2) ;; x = 1\ny = 2 ;; =?
(1, 2) ;; y = 2\nx = 1 ;; =?
(1, 2) ;; x = 2\ny = 1 ;; !?
6r^2-4r-24 ;; 6*r**2 - 4*r - 24 ;; =
\frac{2}{n} ;; 2/n ;; =
\text{Evelyn} ;; Evelyn is fastest ;; ?
1 + \sqrt{2}, 1 - \sqrt{2} ;; [1 - sqrt(2), 1 + sqrt(2)] ;; =
1 + \sqrt{2}, 1 - \sqrt{2} ;; [-0.41421356237309515, 2.414213562373095] ;; =
1 \pm \sqrt{19} ;; [1 - sqrt(19), 1 + sqrt(19)] ;; =
1 \pm \sqrt{19} ;; 1 + sqrt(19) ;; !
3 - i ;; (3-1j) ;; =
3 - i ;; 3 - I ;; =
3 - i ;; 3-1j ;; =
i ;; 1j ;; =
i ;; I ;; =
204_5 ;; 204 ;; =
204_5 ;; 0o204 ;; !
FF_{16} ;; ff ;; =?
FF_{16} ;; 0xff ;; =
10! ;; 3628800 ;; =
2^{100} ;; 1267650600228229401496703205376 ;; =
2^{100} ;; 1.2676506002282294e+30 ;; =?
\frac{1}{2^{20}} ;; 9.5367431640625e-07 ;; =
12345678901234567890 ;; 12345678901234567890 ;; =
12345678901234567890 ;; 1.2345678901234567e+19 ;; =?
12345678901234567890 ;; 12345678901234567891 ;; !
12345678901234567891 ;; 1.2345678901234567e+19 ;; =?
"""

ODD = r"""
12 ;; 12, which is even ;; ?
12 ;; 13, which is odd ;; !?
4 ;; 4 or more ;; ?
25 ;; twenty-five ;; ?
1000 ;; 1k ;; ?
1000 ;; 1K ;; ?
7 ;; 7 R 2 ;; ?
6 ;; 2x3 ;; ?
3.5 ;; 3-1/2 ;; ?
5 ;; 8-3 ;; =
5 ;; 8-4 ;; ?
5 ;; B ;; ?
5 ;; x ;; !
\text{(C)} ;; 12 ;; ?
\text{(C)} ;; parabola ;; ?
\text{(C)} ;; D ;; !
\text{Yes} ;; correct ;; ?
\text{Yes} ;; No ;; !
3, 2 ;; x_1 = 2, x_2 = 3 ;; =
3, 2 ;; x_1 = 2, x_2 = 4 ;; !
3, 2 ;; a = 2, b = 3 ;; ?
21 ;; 21st ;; =
3 ;; 3rd ;; =
0.75 ;; 75 cents ;; ?
1/2 ;; 1 out of 2 ;; ?
8 ;; 2³ ;; =
x>3 ;; x > 3.0 ;; =
x>3 ;; x > 4 ;; !
\frac{1}{2} ;; \frac{1}{2} \approx 0.5 ;; ?
0.5 ;; \frac{1}{2} = 0.5 ;; =?
10 ;; 5 + 5 = 10 ;; =?
10 ;; 5 + 5 = 11 ;; !?
(1,2) ;; (1,2) and (3,4) ;; !?
\frac{2}{3} ;; 2:3 ;; =
\frac{2}{3} ;; 2/3 of the cake ;; =?
5 ;; 5. ;; =
5 ;; 5 . ;; =
5 ;; (5 ;; ?
5 ;; <answer>5</answer> ;; ?
5 ;; "5" ;; =
5 ;; '5' ;; =?
5 ;; 5 (apples) ;; ?
5 ;; \boxed{5} apples ;; =
5 ;; \fbox{5} ;; =
5 ;; \boxed 5 ;; =
5 ;; \boxed{5}, \boxed{5} ;; =
5 ;; ~5 ;; =
5 ;; = 5 ;; =
5 ;; > 5 ;; ?
5 ;; 5 > 4 ;; ?
5 ;; n = 5 is the smallest ;; ?
5 ;; 5\% of 100 ;; ?
5 ;; 5,0 ;; ?
5 ;; 5 000 ;; !
5000 ;; 5 000 ;; =
0 ;; \varnothing ;; !?
1 ;; True ;; !?
\text{True} ;; 1 ;; ?
\frac{3}{2} ;; 1 \frac{1}{2} ;; =
\frac{3}{2} ;; 1 + \frac{1}{2} ;; =
\frac{3}{2} ;; 1 \cdot \frac{1}{2} ;; !
\frac{3}{2} ;; 1.50 ;; =
\frac{3}{2} ;; 3 \div 2 ;; =
\frac{3}{2} ;; 3÷2 ;; =
\frac{3}{2} ;; three halves ;; ?
\sqrt{16} ;; 4 ;; =
\sqrt{16} ;; \pm 4 ;; !
\pm 4 ;; 4, -4 ;; =
\pm 4 ;; 4 ;; !
2 + 3i ;; 2 - 3i ;; !
2 + 3i ;; 3i + 2 ;; =
2 + 3i ;; (2, 3) ;; ?
|x| ;; x ;; ?
|x| ;; \sqrt{x^2} ;; =
\lfloor x \rfloor ;; x ;; !?
\max(a,b) ;; \max(b,a) ;; =?
a \cdot b ;; ab ;; =
a \times b ;; ba ;; =
\frac{ab}{c} ;; \frac{a}{c} b ;; =
\frac{a+b}{c} ;; \frac{a}{c} + b ;; !
(a+b)^2 ;; a^2+b^2 ;; !
(a+b)^2 ;; a^2+2ab+b^2 ;; =
2^{-3} ;; \frac{1}{8} ;; =
2^{-3} ;; -8 ;; !
10^{-2} ;; 0.01 ;; =
1.0 \times 10^{-2} ;; 0.01 ;; =
6.02 \times 10^{23} ;; 6.02e23 ;; =
6.02 \times 10^{23} ;; 6.02 \times 10^{22} ;; !
"""

_CHOICES = ("24", "120", "625", "720", "1024")

_GROUPS: dict[str, tuple[str, dict[str, object]]] = {
    "fractions": (FRACTIONS, {}),
    "integers": (INTEGERS, {}),
    "powers": (POWERS, {}),
    "roots": (ROOTS, {}),
    "expressions": (EXPRESSIONS, {}),
    "collections": (COLLECTIONS, {}),
    "intervals": (INTERVALS, {"question": "Solve the inequality; give the interval."}),
    "matrices": (MATRICES, {}),
    "units": (UNITS, {}),
    "percent": (PERCENT, {}),
    "percent asked": (PERCENT_ASKED, {"question": "What percent of it is red?"}),
    "texts": (TEXTS, {}),
    "equations": (EQUATIONS, {}),
    "bases": (BASES, {}),
    "malformed": (MALFORMED, {}),
    "mixed": (MIXED, {}),
    "program": (PROGRAM, {"task": "Math_PoT"}),
    "program, further": (PROGRAM_FURTHER, {"task": "Math_PoT"}),
    "notations": (NOTATIONS, {}),
    "program, notations": (PROGRAM_NOTATIONS, {"task": "Math_PoT"}),
    "odd answers": (ODD, {}),
    "numbers": (NUMBERS, {"grader": "number"}),
    "choices": (CHOICES, {"grader": "choice", "choices": _CHOICES}),
    "booleans": (BOOLEANS, {"grader": "boolean", "task": "Logic"}),
    "short texts": (SHORT_TEXTS, {"grader": "text", "task": "Logic"}),
    "sets": (SETS, {"grader": "answer_set", "task": "Coding"}),
}


def cases() -> Iterator[PairCase]:
    for group, (block, options) in (_GROUPS | GROUPS).items():
        for line in block.strip("\n").splitlines():
            gold, answer, expected = (part.strip() for part in line.split(";;"))
            if options.get("task") == "Math_PoT" or options.get("grader") == "answer_set":
                answer = answer.replace("\\n", "\n")
            extra = dict(options)
            if group == "choices" and gold.startswith("Option"):
                extra["choices"] = ("the tree", "the house")
            yield PairCase(group, _instruction(gold, **extra), answer, expected)  # type: ignore[arg-type]
    for gold, answer, expected in BOMBS:
        yield PairCase("bombs", _instruction(gold), answer, expected)
