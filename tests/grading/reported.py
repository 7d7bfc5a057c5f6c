r"""Answers of the kinds that public bug reports name, and variants of each kind; the notation is that of `collection`.

A block begins with `@ class | grader | task`, and where needed `| question | choice / choice …`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ultrainteract.schema import Instruction, Task

REPORTED = r"""
@ decimal commas | math | Math_CoT
0,125 ;; 0.125 ;; =?
0.125 ;; \boxed{0,125} ;; =?
0,75 ;; 3/4 ;; =?
3.142 ;; 3,142 ;; =?
-0.5 ;; x = -0,5 ;; =?
2.5 ;; 2,5 m ;; =?
1234567.89 ;; 1.234.567,89 ;; =?
1234567 ;; 1.234.567 ;; =?
1234567 ;; 1'234'567 ;; =?
1.5 ;; 2,5 ;; !
5 ;; 5,000 ;; !
5000 ;; 5,000 ;; =
5000 ;; 5,001 ;; !
@ glued words between golds | math | Math_CoT
(3,8)or(8,3) ;; \boxed{(3,8),(8,3)} ;; =?
(1,4)and(2,5) ;; \boxed{(1,4),(2,5)} ;; =?
4or9 ;; \boxed{4, 9} ;; =
4or9 ;; 9 and 4 ;; =
4or9 ;; 4 and 8 ;; !
4 or 9 ;; 4or9 ;; =
x=4orx=9 ;; 4, 9 ;; =?
\frac{1}{2}or\frac{1}{3} ;; 1/2, 1/3 ;; =
@ numbers in words | math | Math_CoT
21 ;; twenty-one ;; =?
21 ;; twenty-two ;; !?
2.5 ;; two and a half ;; =?
2.5 ;; 2 and a half ;; =?
0.75 ;; three quarters ;; =?
105 ;; one hundred and five ;; =?
-3 ;; minus three ;; =?
1.5 ;; one point five ;; =?
@ numbers in words | text | Logic
21 ;; twenty-one ;; =
1000000 ;; a million ;; =
3/4 ;; three quarters ;; =
1,500,000 ;; 1.5 million ;; =
20 ;; twenty-one ;; !
twenty third ;; 20/3 ;; !?
@ digit groups | number | Math_PoT
1234567 ;; 1_234_567 ;; =
1000000007 ;; 1_000_000_007 ;; =
5 ;; 5_000 ;; !
@ whole numbers as floats | number | Math_PoT
1000000007 ;; 1000000006.000000 ;; !
10000000000001 ;; 10000000000000.0 ;; !
100000007 ;; 100000006.9000000 ;; !?
2000000000 ;; 2000000001.99999 ;; !?
1000000007 ;; 1000000007.0 ;; =
1000000007 ;; 1000000006.9999999 ;; =?
100 ;; 99.99999999999999 ;; =
123456789 ;; 123456788.0 ;; !
12345678901234567890 ;; 1.2345678901234567e+19 ;; =?
0.3 ;; 0.30000000000000004 ;; =
0.1 ;; 0.30000000000000004 ;; !
5 ;; nan ;; !?
5 ;; inf ;; !?
@ signs that end a word | text | Logic
C++ ;; C ;; !?
C++ ;; C++ ;; =
C++ ;; Answer: C++. ;; =
C# ;; C++ ;; !?
F# ;; F ;; !?
O+ ;; O− ;; !?
A+ ;; A- ;; !?
A* ;; A ;; !?
AB- ;; AB ;; !?
AB- ;; AB− ;; =?
Na+ ;; Na ;; !?
Cl- ;; Cl ;; !?
Disney+ ;; Disney ;; !?
Yahoo! ;; Yahoo ;; =
Paris ;; **Paris** ;; =
Paris ;; *Paris* ;; =
@ signs that end a word | answer_set | Coding
C++ ;; C ;; !?
C++ | C# ;; ['C#', 'C++'] ;; =
C++ | C# ;; ['C', 'C++'] ;; !?
A+ | B ;; A, B ;; !?
@ numeric dates | text | Logic
December 25, 2020 ;; 12/25/2020 ;; =?
December 25, 2020 ;; 25.12.2020 ;; =?
12/25/2020 ;; December 25, 2020 ;; =?
Friday, December 25, 2020 ;; December 25, 2020 ;; =?
March 4, 2020 ;; 3/4/2020 ;; ?
March 4, 2020 ;; 3/5/2020 ;; !
March 4, 2020 ;; 3/4/20 ;; =?
December 25, 2020 ;; December 26, 2020 ;; !
December 25, 2020 ;; 12/26/2020 ;; !
@ numeric dates | answer_set | Coding
December 25, 2020 ;; 12/25/2020 ;; =?
2020-12-25 ;; Timestamp('2020-12-25 00:00:00') ;; =
2020-12-25 ;; [datetime.date(2020, 12, 25)] ;; =
@ printed arrays and series | answer_set | Coding
Spain | Italy ;; ['Italy' 'Spain'] ;; =
Spain | Italy ;; 0    Spain<NL>1    Italy<NL>dtype: object ;; =
Spain | Italy ;; 3    Spain<NL>7    Italy<NL>Name: country, dtype: object ;; =
United States | Italy ;; 0    United States<NL>1            Italy<NL>dtype: object ;; =
1 | 2 ;; [1 2] ;; =
1 | 2 ;; [1. 2.] ;; =
1 | 2 ;; Index([1, 2], dtype='int64') ;; =
Spain | Italy ;; array(['Spain', 'Italy'], dtype=object) ;; =
Spain | Italy ;; [('Spain',), ('Italy',)] ;; =
Spain | Italy ;; {'Spain', 'Italy'} ;; =
Spain | Italy ;; country<NL>0   Spain<NL>1   Italy ;; =?
Spain | Italy ;; country<NL>  Spain<NL>  Italy ;; =?
Spain | Italy ;; Countries:<NL>Spain<NL>Italy ;; =?
Spain | Italy ;; ['Spain' 'France'] ;; !
@ printed arrays and series | number | Math_PoT
5 ;; 0    5<NL>dtype: int64 ;; =
5 ;; np.float64(5.0) ;; =
5 ;; np.float64(6.0) ;; !
5 ;; [5] ;; =
@ emphasis around marker or answer | math | Math_CoT
5 ;; Answer: **5** ;; =
5 ;; **Answer: 5** ;; =
5 ;; **Final answer:** 5 ;; =
5 ;; *Answer*: *5* ;; =
6 ;; The answer is 2*3 ;; =
512 ;; 2**3**2 ;; =?
@ an invented next question | math | Math_CoT
5 ;; 2 + 3 = 5<NL>#### 5<NL><NL>Question: Tom has 9 pens. How many?<NL>Answer: Tom has 9.<NL>#### 9 ;; =
5 ;; The answer is 5.<NL><NL>### Problem 2:<NL>What is 4 + 5?<NL>The answer is 9. ;; =
5 ;; Question: what is 2 + 3?<NL>Answer: 5 ;; =
@ letter and text | choice | Logic | q | a red fox / a blue whale / a green frog / none of these
A ;; ANSWER: **A** ;; =
A ;; (A) a red fox ;; =
A ;; A - a red fox ;; =
A ;; a red fox ;; =
A ;; a blue whale ;; !
A ;; (A) a blue whale ;; ?
A ;; (B) a red fox ;; ?
A ;; Option A: a blue whale ;; ?
A ;; A - a blue whale ;; ?
A ;; The answer is (A) a blue whale. ;; ?
@ letter and negative number | choice | Math_CoT | q | -5 / 5 / -2 / 2
A ;; A -5 ;; =
A ;; (A) -5 ;; =
A ;; A) 5 ;; ?
B ;; B - 5 ;; =
B ;; -5 ;; !
D ;; (D) -2 ;; ?
@ rounded choices | choice | Math_CoT | Approximately what is the profit percent? | 5 % / 6 % / 7 % / 8 %
C ;; \boxed{6.85} ;; =?
C ;; 6 ;; !
C ;; 12.3 ;; !
D ;; 1000 ;; !
@ rounded choices | choice | Math_CoT | To the nearest dollar, how much is in the account? | $ 8204.55 / $ 9104.10 / $ 9904.20
B ;; \boxed{\$9104} ;; =?
B ;; 8205 ;; !
@ quantities in parts | math | Math_CoT
3.5 ;; 3 hours and 30 minutes ;; =
3.5 ;; \boxed{3 \text{ hours and } 30 \text{ minutes}} ;; =
3.5 ;; 3h30m ;; =
3.5 ;; 3:30 hours ;; =
3.5 ;; 3:30 ;; ?
3.5 ;; 2 hours and 90 minutes ;; ?
3.5 ;; 3 hours and 20 minutes ;; !
3.5 ;; 3 hours and 30 minutes and 30 seconds ;; !?
90 ;; 1 hour and 30 minutes ;; =?
90 ;; an hour and a half ;; =?
90 ;; 1:30 ;; =?
90 ;; 1 hour and 40 minutes ;; !
90 ;; two hours and a quarter ;; !
3.67 ;; 220 minutes ;; ?
12.5 ;; 12 dollars and 50 cents ;; =
12.5 ;; $12 and 50 cents ;; =
12.5 ;; twelve dollars and fifty cents ;; =?
12.5 ;; 12 dollars and 40 cents ;; !
12 ;; $12 and $50 ;; !
5.5 ;; 5'6" ;; =
66 ;; 5 ft 6 in ;; =?
-3.5 ;; -3 hours 30 minutes ;; =
2.25 ;; 2 years and 3 months ;; =
54 ;; 1 year and 2 weeks ;; ?
29 ;; 2 boxes and 5 pencils ;; ?
15 ;; a dozen and 3 ;; ?
3 hours 30 minutes ;; 210 minutes ;; =
3 hours 30 minutes ;; 3.5 ;; =
3 hours 30 minutes ;; 211 minutes ;; !
2 weeks and 3 days ;; 17 days ;; =
2 weeks and 3 days ;; 16 days ;; !
1 m, 2 m ;; 2 m, 1 m ;; =
2 miles and 1 km ;; 3 ;; ?
5 m and 3 kg ;; 5 ;; ?
6 ;; half a dozen eggs ;; =?
6 ;; a half-dozen ;; =?
7 ;; half a dozen eggs ;; !
24 ;; 2 dozen ;; =?
2 ;; 2 dozens ;; ?
2 ;; 2 crore ;; ?
5.25 ;; a quarter past five ;; ?
30 ;; half an hour ;; =?
0.75 ;; three quarters of an hour ;; =?
25% ;; 25 per cent ;; =
3.5 ;; It takes $\boxed{3}$ hours and $\boxed{30}$ minutes. ;; =
4 ;; \boxed{3} apples and \boxed{5} oranges ;; ?
@ counts and kindred units | math | Math_CoT
ah ;; a h ;; =?
a h ;; ah ;; =?
a m ;; am ;; =?
18 ;; a dozen and a half ;; ?
1500000 ;; a million and a half ;; ?
40 ;; two score ;; =?
2 ;; a pair ;; ?
3 ;; 3 pairs ;; =
6 ;; 3 pairs ;; ?
7 ;; 3 pairs ;; !
6 shoes ;; 3 pairs ;; ?
24 eggs ;; 2 dozens ;; ?
3 ;; a few ;; ?
1 ;; an apple ;; ?
1 year ;; 365 days ;; ?
1 year ;; 13 months ;; !
10 dollars ;; 9 euros ;; ?
1 liter ;; 1000 cm^3 ;; ?
1 year ;; 5 kg ;; !
@ quantities in parts | number | Math_PoT
3.5 ;; 3 hours and 30 minutes ;; =
3.5 ;; 3:30:00 ;; ?
@ quantities in parts | text | Logic
3.5 ;; 3 hours and 30 minutes ;; ?
3 hours ;; 180 minutes ;; ?
3 hours ;; 5 ;; !?
@ quantities in parts | choice | Logic | q | 3 hours 30 minutes / 2 hours / 4.5 hours
A ;; 210 minutes ;; =?
A ;; 2 hours ;; !
@ zero in words | math | Math_CoT
0 ;; no apples ;; ?
0 ;; nothing ;; ?
0 ;; none are left ;; ?
0 ;; It's free. ;; ?
0 ;; no solutions ;; ?
0 ;; zero apples ;; =?
0 ;; five ;; !
0 ;; five apples ;; !
4 ;; no apples ;; !
4 ;; none ;; !
\text{nobody} ;; 0 ;; ?
@ zero in words | text | Logic
0 ;; nobody ;; ?
nobody ;; 0 ;; ?
Paris ;; 0 ;; !
@ numbers by a metric | theoremqa | Math_CoT
0.25 ;; 25% ;; =
0.25 ;; 25 per cent ;; =
0.25 ;; 0.25% ;; ?
0.25 ;; 40% ;; !
0.25 ;; 25 ;; !
25.0 ;; 25% ;; ?
0 ;; 25% ;; !
1 ;; 100% ;; =
2.0 ;; 2 m ;; =
2.0 ;; 2 \text{ m/s} ;; =
2.0 ;; 2 kN ;; =
2000.0 ;; 2 kN ;; ?
0.02 ;; 2 cm ;; ?
2000.0 ;; 3 kN ;; !
2000.0 ;; 2 ;; !
2.0 ;; 2 kg m/s^2 ;; =
2.0 ;; 2 \pi ;; !
2.0 ;; 2 e ;; !
2.0 ;; 2 x ;; ?
2.0 ;; 2 million ;; !
2 ;; 2 thousand ;; !
2 ;; 2 crore ;; ?
2 ;; 2 dozens ;; ?
2 ;; 2 factorial ;; ?
3 ;; 3 quarters ;; ?
2000000 ;; 2 million ;; =
6.283 ;; 2\pi ;; =
6.283 ;; x = 2\pi \text{ m} ;; =?
1.414 ;; \sqrt{2} ;; =
1.414 ;; \sqrt{3} ;; !
[0.25, 0.5] ;; 25%, 50% ;; =
[1, 2] ;; 2 and 1 ;; =
[1, 2] ;; [1, 2 \pi] ;; !
[1, 2] ;; [1, x] ;; ?
@ numbers by a metric | theoremqa | Math_CoT | What is the effective rate in percent?
5.2 ;; 5.2% ;; =
0.052 ;; 5.2% ;; ?
0.052 ;; 5.2 ;; ?
0.052 ;; 0.052 ;; =
@ options | theoremqa | Math_CoT
(a) ;; (a) ;; =
(a) ;; Option A ;; =
(a) ;; (a) because it increases ;; =
(a) ;; (b) ;; !
(a) ;; (b) is wrong, (a) ;; ?
(a) ;; (a) or (b) ;; ?
(a) ;; (a) is not right ;; ?
(a) ;; not (a) ;; ?
@ no answer is right | unanswerable | Math_CoT
None ;; None ;; =
None ;; not enough information ;; =
None ;; \boxed{\text{Cannot be determined}} ;; =
None ;; We don't know how many cookies Suzanne sold. ;; =
None ;; The price isn't given. ;; =
None ;; It is impossible to say how much is left. ;; =
None ;; The number of trees is unknown. ;; =
None ;; The details given are insufficient. ;; =
None ;; 12 ;; !
None ;; \boxed{\frac{3}{4}} ;; !
None ;; 5 apples ;; !
None ;; twelve ;; !
None ;; 2\pi ;; !
None ;; $12 ;; !
None ;; 2x + 3 ;; ?
None ;; She has 12 apples left. ;; ?
None ;; It cannot be determined, but I guess 12 ;; ?
None ;; 12<NL>cannot be determined ;; ?
None ;; It is clear that John has no apples. ;; ?
None ;; He did not find any apples. ;; ?
None ;; There is enough information. ;; ?
None ;; nothing ;; ?
@ no answer is right | unanswerable | Math_PoT
None ;; None ;; =
None ;; 12.0 ;; !
@ odd literals | math | Math_PoT
5 ;; {{5, 6}} ;; !?
5 ;; {[]: 1} ;; !?
5 ;; {[5]} ;; =?
"""


def reported() -> Iterator[tuple[str, Instruction, str, str]]:
    """Yields (class, instruction, answer, expected)."""
    kind, grader, task, question, choices = "", "math", "Math_CoT", "q", ()
    for line in REPORTED.strip().splitlines():
        if line.startswith("@"):
            kind, grader, task, *more = (part.strip() for part in line[1:].split(" | "))
            question = more[0] if more else "q"
            choices = tuple(more[1].split(" / ")) if len(more) > 1 else ()
            continue
        gold, answer, expected = (part.strip() for part in line.split(" ;; "))
        gold_set = tuple(gold.split(" | ")) if grader == "answer_set" else ()
        yield kind, Instruction(
            task=Task(task), dataset="reported", prompt=question, question=question, grader=grader,
            gold=None if gold_set else gold, gold_set=gold_set, choices=choices,
        ), answer.replace("<NL>", "\n"), expected  # fmt: skip
