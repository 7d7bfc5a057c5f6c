r"""Further pairs, made after the graders were: none of them was at hand when the rules were written.

The notation is that of `collection`; `BOMBS` are answers that must cost neither time nor memory.
This module is long because it is one table, a line per pair.
"""

from __future__ import annotations

FURTHER_1 = r"""
\frac{3}{8} ;; 0.375 ;; =
\frac{3}{8} ;; \frac{6}{16} ;; =
\frac{3}{8} ;; 3 \over 8 ;; =?
\frac{3}{8} ;; {3 \over 8} ;; =?
\frac{3}{8} ;; \cfrac{3}{8} ;; =
\frac{3}{8} ;; \left(\frac{3}{8}\right) ;; =
\frac{3}{8} ;; \frac{8}{3} ;; !
\frac{3}{8} ;; 37.5\% ;; =
\frac{3}{8} ;; 38\% ;; !?
\frac{3}{8} ;; 3-8 ;; !?
\frac{3}{8} ;; \frac{3}{8}\pi ;; !
\frac{3}{8} ;; 0.38 ;; ?
\frac{3}{8} ;; 0.37 ;; !?
\frac{3}{8} ;; 2\frac{3}{8} ;; !
2\frac{3}{4} ;; 2 \frac34 ;; =
2\frac{3}{4} ;; \frac{11}{4} ;; =
2\frac{3}{4} ;; 2.75 ;; =
2\frac{3}{4} ;; 1.5 ;; !
2\frac{3}{4} ;; 2 + 3/4 ;; =
2\frac{3}{4} ;; 2-3/4 ;; !?
2\frac{3}{4} ;; \frac{6}{4} ;; !
2\frac{3}{4} ;; 2 3/4 ;; =
-1\frac{1}{2} ;; -\frac{3}{2} ;; =
-1\frac{1}{2} ;; -1.5 ;; =
-1\frac{1}{2} ;; -\frac12 ;; !
-1\frac{1}{2} ;; -1/2 ;; !
\frac{22}{7} ;; \pi ;; !
\frac{1}{7} ;; 0.\overline{142857} ;; =
\frac{1}{7} ;; 0.142857142857... ;; ?
\frac{1}{7} ;; 0.142857 ;; ?
\frac{1}{9} ;; 0.111\ldots ;; =?
0.\overline{9} ;; 1 ;; =
\frac{-5}{-6} ;; \frac{5}{6} ;; =
-\frac{5}{6} ;; -0.8333333333333334 ;; =?
\frac{x+1}{x-1} ;; \frac{-x-1}{1-x} ;; =
\frac{x+1}{x-1} ;; \frac{x-1}{x+1} ;; !
\frac{x+1}{x-1} ;; 1+\frac{2}{x-1} ;; =
\frac{1}{1+\frac{1}{1+\frac{1}{2}}} ;; \frac{3}{5} ;; =
\frac{1}{1+\frac{1}{1+\frac{1}{2}}} ;; \frac{5}{3} ;; !
\frac{a}{b} ;; ab^{-1} ;; =
\frac{a}{b} ;; a/b ;; =
\frac{a^2-b^2}{a-b} ;; a+b ;; =
\frac{1}{\sqrt{2}} ;; \frac{\sqrt{2}}{2} ;; =
\frac{1}{\sqrt{2}} ;; 2^{-1/2} ;; =
\frac{1}{\sqrt{2}} ;; \sqrt{2} ;; !
[0,1) ;; 0 \le x < 1 ;; =
[0,1) ;; \{x : 0 \le x < 1\} ;; =?
[0,1) ;; [0,1] ;; !
[0,1) ;; [0, 1[ ;; =?
[0,1) ;; (0,1] ;; !
(-\infty,-1]\cup[1,\infty) ;; x\le-1 \text{ or } x\ge1 ;; =
(-\infty,-1]\cup[1,\infty) ;; |x|\ge 1 ;; =?
(-\infty,-1]\cup[1,\infty) ;; [1,\infty)\cup(-\infty,-1] ;; =
(-\infty,-1]\cup[1,\infty) ;; (-\infty,-1)\cup(1,\infty) ;; !
(-\infty,-1]\cup[1,\infty) ;; \mathbb{R}\setminus(-1,1) ;; =?
(-\infty,-1]\cup[1,\infty) ;; [-1,1] ;; !
(-\infty,-1]\cup[1,\infty) ;; (-\infty,-1] ;; !
(0,\infty) ;; \mathbb{R}^+ ;; =?
(0,\infty) ;; x>0 ;; =
(0,\infty) ;; x\ge0 ;; !
(1,2)\cup(2,3) ;; (1,3)\setminus\{2\} ;; =?
(1,2)\cup(2,3) ;; (1,3) ;; !
(1,2)\cup(2,3) ;; 1<x<3, x\neq 2 ;; =?
(-2,5) ;; -2<x<5 ;; =
(-2,5) ;; -2<x\le5 ;; !
\left(-\frac{1}{2},3\right] ;; (-0.5, 3] ;; =
\left(-\frac{1}{2},3\right] ;; (-0.5, 3) ;; !
[2,4] ;; 2\text{ to }4 ;; ?
\{1,2,3\} ;; \{3,2,1\} ;; =
\{1,2,3\} ;; 1, 2, 3 ;; =
\{1,2,3\} ;; \{1,2,3,4\} ;; !
\{1,2,3\} ;; \{1,2\} ;; !
\{1,2,3\} ;; \{1,2,2,3\} ;; =?
\{-1,0,1\} ;; x\in\{-1,0,1\} ;; =
\{-1,0,1\} ;; \{0,\pm1\} ;; =
\{-1,0,1\} ;; 0,\pm 1 ;; =
\{-1,0,1\} ;; \pm 1 ;; !
\{(1,2),(2,1)\} ;; (2,1),(1,2) ;; =
\{(1,2),(2,1)\} ;; (1,2) ;; !
\{(1,2),(2,1)\} ;; \{(1,1),(2,2)\} ;; !
\{2k\pi\mid k\in\mathbb{Z}\} ;; 2\pi k ;; =?
\emptyset ;; \varnothing ;; =
\emptyset ;; \text{none} ;; =?
\emptyset ;; \{0\} ;; !?
\{\emptyset\} ;; \emptyset ;; !?
(2,-3) ;; (2,-3) ;; =
(2,-3) ;; (-3,2) ;; !
(2,-3) ;; \left(2,\,-3\right) ;; =
(2,-3) ;; x=2,\ y=-3 ;; =
(2,-3) ;; (2, 3) ;; !
(2,-3) ;; 2,-3 ;; =?
(2,-3) ;; \begin{pmatrix}2\\-3\end{pmatrix} ;; =?
(2,-3) ;; [2,-3] ;; !?
(1,2,3) ;; (1,2,3) ;; =
(1,2,3) ;; (3,2,1) ;; !
(1,2,3) ;; \langle1,2,3\rangle ;; =
(1,2,3) ;; 1\mathbf i+2\mathbf j+3\mathbf k ;; =?
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; \begin{bmatrix}1&2\\3&4\end{bmatrix} ;; =
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; \begin{pmatrix}1&2\\3&5\end{pmatrix} ;; !
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; \begin{pmatrix}1&2\\\\3&4\end{pmatrix} ;; =?
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; \left[\begin{matrix}1&2\\3&4\end{matrix}\right] ;; =
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; \begin{pmatrix}1&3\\2&4\end{pmatrix} ;; !
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; \begin{pmatrix}1&2&0\\3&4&0\end{pmatrix} ;; !
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; -2 ;; !
\begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix} ;; \begin{bmatrix} \cos \theta & -\sin \theta \\ \sin \theta & \cos \theta \end{bmatrix} ;; =
\begin{pmatrix} \frac12 & 0 \\ 0 & 1\end{pmatrix} ;; \frac12\begin{pmatrix} 1 & 0 \\ 0 & 2\end{pmatrix} ;; =?
\begin{pmatrix} 1 \\ -2 \\ 4 \end{pmatrix} ;; (1,-2,4) ;; =?
\begin{pmatrix} 1 \\ -2 \\ 4 \end{pmatrix} ;; \begin{pmatrix} 1 \\ 2 \\ 4 \end{pmatrix} ;; !
5\text{ cm} ;; 5\,\text{cm} ;; =
5\text{ cm} ;; 50\text{ mm} ;; =
5\text{ cm} ;; 5\text{ mm} ;; !
5\text{ cm} ;; 0.05\text{ m} ;; =
12\text{ m/s} ;; 12\,\frac{\text{m}}{\text{s}} ;; =?
12\text{ m/s} ;; 12 ;; =
12\text{ m/s} ;; 43.2\text{ km/h} ;; =?
12\text{ m/s} ;; 12\text{ km/h} ;; !
9.8\text{ m/s}^2 ;; 9.8 m/s^2 ;; =
100\text{ ml} ;; 0.1\text{ L} ;; =
100\text{ ml} ;; 100\text{ L} ;; !
2\text{ kg} ;; 2000\text{ g} ;; =
32^\circ\text{F} ;; 32 ;; =?
32^\circ\text{F} ;; 0^\circ\text{C} ;; =?
45^\circ ;; 45 ;; =
45^\circ ;; \frac{\pi}{4} ;; =?
45^\circ ;; 45^{\circ} ;; =
45^\circ ;; 45\text{ degrees} ;; =
45^\circ ;; 135^\circ ;; !
45^\circ ;; 45' ;; ?
\frac{\pi}{4} ;; 45^\circ ;; =?
\frac{\pi}{4}\text{ radians} ;; \frac{\pi}{4} ;; =
\$12.50 ;; 12.50 ;; =
\$12.50 ;; \$12.5 ;; =
\$12.50 ;; 12.50\text{ dollars} ;; =
\$12.50 ;; 1250\text{ cents} ;; =
\$12.50 ;; \$12 ;; !?
\$12.50 ;; \$12.51 ;; !
\$1{,}250 ;; 1250 ;; =
\$1{,}250 ;; \$1.250 ;; !?
25\% ;; \frac14 ;; =
25\% ;; 0.25 ;; =
25\% ;; 25 ;; ?
25\% ;; 2.5\% ;; !
25\% ;; 75\% ;; !
0.25\% ;; 0.0025 ;; =
0.25\% ;; 25\% ;; !
150\% ;; 1.5 ;; =
\text{Monday} ;; monday ;; =
\text{Monday} ;; \text{Tuesday} ;; !?
\text{Monday} ;; \textbf{Monday} ;; =
\text{Monday} ;; \mathrm{Monday} ;; =
\text{Monday} ;; \mbox{Monday} ;; =
\text{red} ;; \text{Red} ;; =
\text{parallelogram} ;; \text{a parallelogram} ;; =
\text{parallelogram} ;; \text{trapezoid} ;; !?
\text{increasing} ;; decreasing ;; !?
\text{(A)} ;; A ;; =
\text{(A)} ;; (B) ;; !
\text{A} ;; \boxed{A} ;; =
3.2\times10^{5} ;; 320000 ;; =
3.2\times10^{5} ;; 3.2e5 ;; =
3.2\times10^{5} ;; 3.2\cdot 10^5 ;; =
3.2\times10^{5} ;; 3.2\times10^{-5} ;; !
3.2\times10^{5} ;; 32\times10^{4} ;; =
3.2\times10^{5} ;; 3.2 x 10^5 ;; =?
3.2\times10^{5} ;; 3.2 \times 10^6 ;; !
6.02\times10^{23} ;; 602000000000000000000000 ;; =
1.6\times10^{-19} ;; 1.6e-19 ;; =
2^{100} ;; 1267650600228229401496703205376 ;; =
2^{100} ;; 4^{50} ;; =
2^{100} ;; 4^{51} ;; !
2^{100} ;; 2^{99}+2^{99} ;; =
2^{100} ;; 2^{100}-1 ;; !
2^{100} ;; 1.2676506\times10^{30} ;; ?
3^{2024} ;; 3^{2024} ;; =
3^{2024} ;; 9^{1012} ;; =
3^{2024} ;; 3^{2023} ;; !
3^{2024} ;; 3\cdot3^{2023} ;; =
7^{7^7} ;; 7^{823543} ;; =?
20! ;; 2432902008176640000 ;; =
20! ;; 19! ;; !
20! ;; 20\cdot19! ;; =
\frac{20!}{18!} ;; 380 ;; =
100! ;; 100\cdot 99! ;; =
100! ;; 99! ;; !
\binom{20}{10} ;; 184756 ;; =
\binom{20}{10} ;; \frac{20!}{10!10!} ;; =
\binom{20}{10} ;; C(20,10) ;; =?
\binom{20}{10} ;; {20 \choose 10} ;; =?
\sqrt{7+4\sqrt{3}} ;; 2+\sqrt{3} ;; =
\sqrt{7+4\sqrt{3}} ;; 2-\sqrt{3} ;; !
\sqrt{\sqrt{16}} ;; 2 ;; =
\sqrt[3]{20+14\sqrt2}+\sqrt[3]{20-14\sqrt2} ;; 4 ;; =
\sqrt{2+\sqrt{2+\sqrt{2}}} ;; 2\cos\frac{\pi}{16} ;; =
\sqrt{2+\sqrt{2+\sqrt{2}}} ;; 2\cos\frac{\pi}{8} ;; !
\sqrt[4]{81} ;; 3 ;; =
\sqrt[4]{81} ;; -3 ;; !
3\sqrt[3]{2} ;; \sqrt[3]{54} ;; =
3\sqrt[3]{2} ;; \sqrt[3]{6} ;; !
5\sqrt{2} ;; \sqrt{50} ;; =
5\sqrt{2} ;; 5\sqrt{2}\text{ cm} ;; =
5\sqrt{2} ;; 7.07 ;; ?
5\sqrt{2} ;; 7.0710678 ;; =?
5\sqrt{2} ;; 5\cdot1.414 ;; !?
x>2 ;; 2<x ;; =
x>2 ;; x\ge2 ;; !
x>2 ;; (2,\infty) ;; =
x>2 ;; x>3 ;; !
x\le-4 ;; -4\ge x ;; =
-3\le x\le3 ;; |x|\le3 ;; =?
-3\le x\le3 ;; [-3,3] ;; =
n\ge 5 ;; 5 ;; !?
x=7 ;; 7 ;; =
x=7 ;; x=8 ;; !
7 ;; x=7 ;; =
7 ;; n=7 ;; =
7 ;; x=-7 ;; !
x=3,-3 ;; \pm3 ;; =
x=3,-3 ;; 3 ;; !
x=3\text{ or }x=-3 ;; \{3,-3\} ;; =
\pm3 ;; -3,3 ;; =
\pm3 ;; 3\text{ and }-3 ;; =
\pm3 ;; \mp3 ;; =?
\pm\sqrt{5} ;; \sqrt5,-\sqrt5 ;; =
\pm\sqrt{5} ;; \sqrt{5} ;; !
\pm\sqrt{5} ;; \pm5 ;; !
2\pm i ;; 2+i,2-i ;; =
2\pm i ;; 2+i ;; !
\frac{1\pm\sqrt{3}}{2} ;; \frac12\pm\frac{\sqrt3}{2} ;; =
\frac{1\pm\sqrt{3}}{2} ;; \frac{1\pm\sqrt{5}}{2} ;; !
(x-2)(x-3) ;; x^2-5x+6 ;; =
(x-2)(x-3) ;; (3-x)(2-x) ;; =
(x-2)(x-3) ;; (x+2)(x+3) ;; !
(x-2)(x-3) ;; x^2-5x-6 ;; !
x^3-1 ;; (x-1)(x^2+x+1) ;; =
x^3-1 ;; (x-1)^3 ;; !
2x^2+4x ;; 2x(x+2) ;; =
2x^2+4x ;; x(x+2) ;; !
x^4-y^4 ;; (x-y)(x+y)(x^2+y^2) ;; =
a^2+2ab+b^2 ;; (a+b)^2 ;; =
-(x-1) ;; 1-x ;; =
3x+2 ;; 2+3x ;; =
3x+2 ;; 3y+2 ;; !?
3x+2 ;; f(x)=3x+2 ;; =
3x+2 ;; y=3x+2 ;; =
f(x)=3x+2 ;; 3x+3 ;; !
y=2x-1 ;; 2x-y=1 ;; =
y=2x-1 ;; y+1=2x ;; =
y=2x-1 ;; y=-2x+1 ;; !
y=2x-1 ;; x=\frac{y+1}{2} ;; =
x^2+y^2=25 ;; y^2=25-x^2 ;; =
x^2+y^2=25 ;; x^2+y^2=5 ;; !
(x-1)^2+(y+2)^2=9 ;; x^2+y^2-2x+4y-4=0 ;; =
(x-1)^2+(y+2)^2=9 ;; (x+1)^2+(y-2)^2=9 ;; !
\log_{3}81 ;; 4 ;; =
\log_{3}81 ;; 27 ;; !
\log_{2}{10} ;; \frac{\ln 10}{\ln 2} ;; =
\log_{2}{10} ;; 1+\log_2 5 ;; =
\ln 8 ;; 3\ln 2 ;; =
\ln 8 ;; 2\ln 3 ;; !
\log 100 ;; 2 ;; =?
\ln(e^5) ;; 5 ;; =
e^{\ln 3} ;; 3 ;; =
\sin 60^\circ ;; \frac{\sqrt3}{2} ;; =
\sin 60^\circ ;; \frac12 ;; !
\sin\frac{\pi}{3} ;; \frac{\sqrt{3}}{2} ;; =
\cos 75^\circ ;; \frac{\sqrt6-\sqrt2}{4} ;; =
\tan\frac{3\pi}{4} ;; -1 ;; =
\sin 60 ;; \frac{\sqrt3}{2} ;; =?
\sin^2x ;; 1-\cos^2 x ;; =
\sin 2x ;; 2\sin x\cos x ;; =
\sin 2x ;; 2\sin x ;; !
\sec x ;; \frac{1}{\cos x} ;; =
\sec x ;; \frac{1}{\sin x} ;; !
\arcsin\frac12 ;; \frac{\pi}{6} ;; =
\arcsin\frac12 ;; 30^\circ ;; =?
\sin^{-1}\frac12 ;; \frac{\pi}{6} ;; =
\frac{\pi}{6}+2k\pi ;; \frac{\pi}{6}+2\pi n ;; =?
3+4i ;; 4i+3 ;; =
3+4i ;; 3-4i ;; !
3+4i ;; 5 ;; !
3+4i ;; 3+4j ;; =?
(1+i)^2 ;; 2i ;; =
|3+4i| ;; 5 ;; =
\frac{1}{i} ;; -i ;; =
i^{2023} ;; -i ;; =
e^{i\pi/2} ;; i ;; =
2e^{i\pi/3} ;; 1+i\sqrt{3} ;; =
1011_2 ;; 1011_{2} ;; =
1011_2 ;; 1011 ;; =?
1011_2 ;; 11 ;; ?
1011_2 ;; 1101_2 ;; !
2A_{16} ;; 2a_{16} ;; =
2A_{16} ;; 42 ;; ?
321_5 ;; 321_6 ;; !
2:45\text{ PM} ;; 2:45\ \text{p.m.} ;; =
2:45\text{ PM} ;; 14:45 ;; =?
2:45\text{ PM} ;; 2:45\text{ AM} ;; !?
2:45\text{ PM} ;; 2:54\text{ PM} ;; !?
\text{July 4, 1776} ;; 4 July 1776 ;; =?
\text{July 4, 1776} ;; July 5, 1776 ;; !?
\text{July 4} ;; 4 ;; ?
1,234,567 ;; 1234567 ;; =
1,234,567 ;; 1\,234\,567 ;; =
1,234,567 ;; 1234568 ;; !
12,345 ;; 12345 ;; =
12,345 ;; 12.345 ;; !?
1,2,3 ;; 1, 2, 3 ;; =
1,2,3 ;; 123 ;; !
1,2,3 ;; 3,2,1 ;; =
1,234 ;; 1, 234 ;; =?
\dfrac{5}{9} ;; \tfrac{5}{9} ;; =
\dfrac{5}{9} ;; \frac{5}{9} ;; =
\dfrac{5}{9} ;; 5/9 ;; =
\mbox{7} ;; 7 ;; =
\text{7} ;; 7 ;; =
\boxed{\boxed{7}} ;; 7 ;; =?
7 ;; \boxed{\boxed{7}} ;; =
7 ;; \boxed{\text{7}} ;; =
7 ;; \boxed{x=7} ;; =
7 ;; \boxed{7\text{ apples}} ;; =
7 ;; \boxed{\frac{14}{2}} ;; =
7 ;; We get $\boxed{8}$... wait, $\boxed{7}$ ;; =?
7 ;; First $\boxed{3}$. Then the final answer is $\boxed{7}$. ;; =?
7 ;; \boxed{7 ;; ?
7 ;; \boxed{} ;; !?
7 ;; \boxed{7}\boxed{8} ;; !?
7 ;; The answer is 7.0 ;; =
7 ;; The answer is seven. ;; =
7 ;; So there are 7 of them. ;; =?
7 ;; So there are 8 of them. ;; !?
7 ;; approximately 7 ;; =?
7 ;; \approx 7 ;; =?
7 ;; 7 \pm 1 ;; !?
7 ;; 7\frac{ ;; ?
7 ;; \frac{7}{1 ;; ?
7 ;; }{7 ;; ?
7 ;; 7^{ ;; ?
7 ;; \left. 7 ;; =?
7 ;; \left(7\right ;; ?
7 ;; \sqrt{49 ;; ?
7 ;; \sqrt49 ;; !?
7 ;; \undefinedmacro ;; ?
7 ;; $$7$$ ;; =
7 ;; \[7\] ;; =
7 ;; \(7\) ;; =
7 ;; $7 ;; =?
7 ;; 7$ ;; =?
7 ;; {7} ;; =
7 ;; {{7}} ;; =
7 ;; 7\; ;; =
7 ;; 7\\ ;; =?
7 ;; \phantom{0}7 ;; =?
7 ;; \color{red}{7} ;; =?
7 ;; \mathbf{7} ;; =
7 ;; \underline{7} ;; =?
7 ;; 7\ \square ;; =?
7 ;; ７ ;; =?
7 ;; VII ;; ?
-7 ;; \text{-7} ;; =
-7 ;; −7 ;; =
-7 ;; (7) ;; !
0.1 ;; .1 ;; =
0.1 ;; 0.10 ;; =
0.1 ;; 0.01 ;; !
0.1 ;; 10^{-1} ;; =
0 ;; 1-1 ;; =
0 ;; \sqrt{0} ;; =
0 ;; \sin\pi ;; =
0 ;; 10^{-100} ;; !
\infty ;; \infty ;; =
\infty ;; +\infty ;; =
\infty ;; \text{infinity} ;; =?
\text{undefined} ;; \text{undefined} ;; =
\text{undefined} ;; 0 ;; !?
\text{DNE} ;; \text{does not exist} ;; =?
\text{all real numbers} ;; (-\infty,\infty) ;; =
x\neq 3 ;; (-\infty,3)\cup(3,\infty) ;; =
x\neq 3 ;; x\ne3 ;; =
x\neq 3 ;; x=3 ;; !
3:4:5 ;; 3:4:5 ;; =
3:4:5 ;; 6:8:10 ;; ?
3:4:5 ;; 5:4:3 ;; !
2:1 ;; 2 ;; =
2:1 ;; 2\text{ to }1 ;; =?
x^2+x+1 ;; x^{2}+x+1=0 ;; !?
\sum_{n=1}^{\infty}\frac{1}{2^n} ;; 1 ;; =?
\sum_{n=1}^{\infty}\frac{1}{n^2} ;; \frac{\pi^2}{6} ;; =?
\int_0^1 x^2 dx ;; \frac13 ;; =?
\prod_{k=1}^5 k ;; 120 ;; =
\lfloor 3.7\rfloor ;; 3 ;; =
\lceil 3.2\rceil ;; 4 ;; =
\lfloor 3.7\rfloor ;; 4 ;; !
|-5| ;; 5 ;; =
\gcd(12,18) ;; 6 ;; =?
17\bmod 5 ;; 2 ;; =?
\frac{1}{2},\frac{1}{3} ;; 0.5, \frac13 ;; =
\frac{1}{2},\frac{1}{3} ;; \frac13,\frac12 ;; =
\frac{1}{2},\frac{1}{3} ;; \frac12,\frac14 ;; !
(a,b)=(3,4) ;; a=3,b=4 ;; =
(a,b)=(3,4) ;; a=4,b=3 ;; !
x=1,y=2 ;; y=2,x=1 ;; =
x=1,y=2 ;; x=2,y=1 ;; !
x=1,y=2 ;; (1,2) ;; =
x=1,y=2 ;; (2,1) ;; !?
\ln(x^2) ;; 2\ln|x| ;; =?
\arctan x+\arctan\frac1x ;; \frac{\pi}{2} ;; ?
\sqrt{x^2+2x+1} ;; x+1 ;; ?
\sqrt{x^2+2x+1} ;; |x+1| ;; =
\frac{x^2-4}{x-2} ;; x+2 ;; =
|x|+|y| ;; |x+y| ;; !?
x^{1/3} ;; \sqrt[3]{x} ;; =
x^{2/3} ;; \sqrt[3]{x^2} ;; =?
(x^2)^{1/2} ;; x ;; ?
\frac{1}{x^{-2}} ;; x^2 ;; =
x^{-1}+y^{-1} ;; \frac{x+y}{xy} ;; =
x^{-1}+y^{-1} ;; \frac{1}{x+y} ;; !
2^{x+3} ;; 8\cdot2^x ;; =
2^{x+3} ;; 2^x+8 ;; !
\log_2 x ;; \frac{\ln x}{\ln 2} ;; =
\log_2 x ;; \log x ;; !?
\log(xy) ;; \log x+\log y ;; =?
\tan x ;; \frac{\sin x}{\cos x} ;; =
\tan^2x+1 ;; \sec^2x ;; =
\cos 2x ;; 1-2\sin^2 x ;; =
\cos 2x ;; 2\cos^2x-1 ;; =
\cos 2x ;; 2\cos x ;; !
\sin(x+y) ;; \sin x\cos y+\cos x\sin y ;; =
\sin(x+y) ;; \sin x+\sin y ;; !
\sin^{-1}x ;; \arcsin x ;; =?
\sin^{-1}x ;; \frac{1}{\sin x} ;; !?
e^{2x} ;; (e^x)^2 ;; =
e^{2x} ;; 2e^x ;; !
\frac{n(n+1)}{2} ;; \binom{n+1}{2} ;; =?
\frac{n(n+1)}{2} ;; \frac{n^2+n}{2} ;; =
\frac{n(n+1)}{2} ;; \frac{n(n-1)}{2} ;; !
n! ;; n\cdot(n-1)! ;; =?
n! ;; (n+1)! ;; !?
\frac{(n+1)!}{n!} ;; n+1 ;; =?
2n+1 ;; 2k+1 ;; ?
\sum_{k=1}^n k ;; \frac{n(n+1)}{2} ;; =?
(2x+1)(3x-2) ;; 6x^2-x-2 ;; =
(2x+1)(3x-2) ;; 6x^2+x-2 ;; !
3(x+2)^2-5 ;; 3x^2+12x+7 ;; =
3(x+2)^2-5 ;; 3x^2+12x+12 ;; !
x(x-1)(x+1) ;; x^3-x ;; =
ax^2+bx+c ;; c+bx+ax^2 ;; =
ax^2+bx+c ;; ax^2+bx ;; !
\frac{1}{(x+1)(x+2)} ;; \frac{1}{x+1}-\frac{1}{x+2} ;; =
\frac{1}{(x+1)(x+2)} ;; \frac{1}{x+1}+\frac{1}{x+2} ;; !
\frac{3}{2}x-1 ;; 1.5x-1 ;; =
\frac{3}{2}x-1 ;; 3x/2-1 ;; =?
\frac{3}{2}x-1 ;; 3/(2x)-1 ;; !?
\frac23 x ;; \frac{2x}{3} ;; =
\frac23 x ;; \frac{2}{3x} ;; !
-x^2 ;; (-x)^2 ;; !
-2^4 ;; -16 ;; =
-2^4 ;; 16 ;; !
2\cdot3^2 ;; 18 ;; =
2\cdot3^2 ;; 36 ;; !
6\div2 ;; 3 ;; =
\sqrt{12}-\sqrt{3} ;; \sqrt{3} ;; =
\sqrt{12}-\sqrt{3} ;; 3 ;; !
\sqrt{12}-\sqrt{3} ;; \sqrt{9} ;; !
\frac{\sqrt{5}-1}{2} ;; \frac{2}{1+\sqrt5} ;; =
\frac{3}{\sqrt{3}} ;; \sqrt{3} ;; =
\frac{1}{\sqrt{2}+1} ;; \sqrt{2}-1 ;; =
\frac{1}{\sqrt{2}+1} ;; \sqrt{2}+1 ;; !
\sqrt{-4} ;; 2i ;; =
\sqrt{-4} ;; -2 ;; !?
\sqrt[3]{-8} ;; -2 ;; =?
\sqrt[3]{-8} ;; 2 ;; !?
8^{-\frac{2}{3}} ;; \frac14 ;; =
27^{\frac{4}{3}} ;; 81 ;; =
(\sqrt2)^6 ;; 8 ;; =
0.125 ;; 2^{-3} ;; =
10\sqrt{10} ;; 10^{1.5} ;; =
10\sqrt{10} ;; 31.6227766 ;; ?
10\sqrt{10} ;; 32 ;; !?
\pi r^2 ;; r^2\pi ;; =
\pi r^2 ;; 2\pi r ;; !
\frac{4}{3}\pi r^3 ;; \frac{4\pi r^3}{3} ;; =
36\pi\text{ cm}^3 ;; 36\pi ;; =
36\pi\text{ cm}^3 ;; 36\pi\text{ cm}^2 ;; !?
36\pi\text{ cm}^3 ;; 36 ;; !
100\pi ;; 314 ;; !?
100\pi ;; 314.159 ;; ?
\frac{5\pi}{6} ;; 150^\circ ;; =?
\frac{5\pi}{6} ;; \frac{5}{6}\pi ;; =
\frac{5\pi}{6} ;; \frac{5\pi}{3} ;; !
(3,\frac{\pi}{2}) ;; (3,90^\circ) ;; =?
(\sqrt{2},\frac{\pi}{4}) ;; (2^{1/2},\pi/4) ;; =
(\sqrt{2},\frac{\pi}{4}) ;; (1,1) ;; !
(-3,4) ;; (4,-3) ;; !
(-3,4) ;; x=-3\text{ and }y=4 ;; =
(0,0),(1,1) ;; (1,1),(0,0) ;; =
(0,0),(1,1) ;; (0,1),(1,0) ;; !
(0,0),(1,1) ;; (0,0)\text{ and }(1,1) ;; =
(0,0),(1,1) ;; (0,0) ;; !
(a,b,c)=(1,2,3) ;; (1,2,3) ;; =
(a,b,c)=(1,2,3) ;; (1,3,2) ;; !
a=1,b=2,c=3 ;; (a,b,c)=(1,2,3) ;; =
a=1,b=2,c=3 ;; a=1,b=3,c=2 ;; !
x=\frac{1}{2} ;; \frac{1}{2} ;; =
x=\frac{1}{2} ;; x=2 ;; !
x=1\text{ or }x=2 ;; x\in\{1,2\} ;; =
x=1\text{ or }x=2 ;; 2,1 ;; =
x=1\text{ or }x=2 ;; x=1 ;; !
x=1\text{ or }x=2 ;; (1,2) ;; ?
t=5\text{ s} ;; 5 ;; =
k>\frac14 ;; (\frac14,\infty) ;; =
k>\frac14 ;; k>0.25 ;; =
k>\frac14 ;; k\geq\frac14 ;; !
k>\frac14 ;; k<\frac14 ;; !
k>\frac14 ;; (0.25,\infty) ;; =
a<b<c ;; c>b>a ;; =?
a<b<c ;; c<b<a ;; !?
0<x<\frac{\pi}{2} ;; (0,\pi/2) ;; =
0<x<\frac{\pi}{2} ;; (0,90^\circ) ;; =?
[-\sqrt2,\sqrt2] ;; -\sqrt{2}\le x\le\sqrt{2} ;; =
[-\sqrt2,\sqrt2] ;; |x|\le\sqrt2 ;; =?
[-\sqrt2,\sqrt2] ;; (-\sqrt2,\sqrt2) ;; !?
[-\sqrt2,\sqrt2] ;; [-2,2] ;; !
(-\infty,3)\cup(5,7] ;; x<3\text{ or }5<x\le7 ;; =
(-\infty,3)\cup(5,7] ;; (-\infty,3)\cup(5,7) ;; !
(-\infty,3)\cup(5,7] ;; (5,7]\cup(-\infty,3) ;; =
[1,3]\cup[2,5] ;; [1,5] ;; =
[1,3]\cup[2,5] ;; [2,3] ;; !
\{x\mid x>3\} ;; (3,\infty) ;; =?
\{x\in\mathbb{R}:x\ne0\} ;; (-\infty,0)\cup(0,\infty) ;; =?
\{0,1,2,\ldots,9\} ;; \{0,1,2,3,4,5,6,7,8,9\} ;; =?
\{1\} ;; 1 ;; =
\{1\} ;; \{2\} ;; !
\{a,b\} ;; \{b,a\} ;; =
\{a,b\} ;; \{a,c\} ;; !?
\begin{pmatrix}1\\0\end{pmatrix} ;; \begin{bmatrix}1\\0\end{bmatrix} ;; =
\begin{pmatrix}1\\0\end{pmatrix} ;; \begin{pmatrix}0\\1\end{pmatrix} ;; !
\begin{pmatrix}1\\0\end{pmatrix} ;; \hat{i} ;; ?
\begin{pmatrix}1\\0\end{pmatrix} ;; \begin{pmatrix}1&0\end{pmatrix}^T ;; =?
\begin{bmatrix}a&b\\c&d\end{bmatrix} ;; \begin{bmatrix}a&c\\b&d\end{bmatrix} ;; !?
\begin{bmatrix}2x&0\\0&y\end{bmatrix} ;; \begin{bmatrix}x+x&0\\0&y\end{bmatrix} ;; =
\begin{vmatrix}1&2\\3&4\end{vmatrix} ;; -2 ;; =?
\begin{cases}x&x>0\\-x&x<0\end{cases} ;; |x| ;; ?
I ;; \begin{pmatrix}1&0\\0&1\end{pmatrix} ;; ?
1:3 ;; 1/3 ;; =
1:3 ;; 3:1 ;; !
1:3 ;; 2:6 ;; ?
4\text{ to }1 ;; 4:1 ;; =?
12\text{ hours }30\text{ minutes} ;; 12.5\text{ hours} ;; =?
5'10'' ;; 70 ;; ?
30^\circ 15' ;; 30.25^\circ ;; =?
7\text{ R }2 ;; 7\text{ remainder }2 ;; =?
3^{10}-1 ;; 59048 ;; =
3^{10}-1 ;; 59049 ;; !
2^{2^{3}} ;; 256 ;; =
2^{2^{3}} ;; 64 ;; !
1+2+\cdots+100 ;; 5050 ;; =?
0.333\ldots ;; \frac13 ;; =?
0.1\overline{23} ;; \frac{61}{495} ;; =
0.1\overline{23} ;; \frac{123}{999} ;; !
1.5\text{ million} ;; 1500000 ;; =
1.5\text{ million} ;; 1,500,000 ;; =
1.5\text{ million} ;; 1.5 ;; !?
\$1.5\text{ million} ;; \$1,500,000 ;; =
4\frac12\% ;; 0.045 ;; =
4\frac12\% ;; 4.5\% ;; =
\frac{9}{2}\% ;; 4.5\% ;; =
5\times 10^{-3}\% ;; 0.00005 ;; =?
\text{5 apples} ;; 5 ;; =
\text{5 apples} ;; 6 ;; !
\text{5 apples} ;; 5 apples ;; =
\text{January 1} ;; January 1 ;; =
\text{January 1} ;; January 2 ;; !?
\text{Team A} ;; Team A ;; =
\text{Team A} ;; Team B ;; !?
\text{Team A} ;; A ;; =?
\text{Yes} ;; \text{Yes} ;; =
\text{Yes} ;; \text{No} ;; !
\text{no} ;; no, because x is odd ;; =?
\text{none} ;; 0 ;; !?
\text{isosceles triangle} ;; isosceles ;; =?
\text{A and B} ;; B and A ;; =?
A,B ;; B,A ;; =
A,C,D ;; A,C ;; !
\text{A, C} ;; AC ;; =?
\triangle ABC\sim\triangle DEF ;; \triangle ABC\sim\triangle DEF ;; =
ABCD ;; ABDC ;; !?
\overline{AB} ;; AB ;; =?
m=3,n=4 ;; m=3\text{ and }n=4 ;; =
m=3,n=4 ;; m=4,n=3 ;; !
\frac{dy}{dx}=2x ;; y'=2x ;; =?
y=Ce^{x} ;; y=Ae^{x} ;; ?
y=\sin x+C ;; \sin x+C ;; =
\frac{x^2}{4}+\frac{y^2}{9}=1 ;; 9x^2+4y^2=36 ;; =
\frac{x^2}{4}+\frac{y^2}{9}=1 ;; 4x^2+9y^2=36 ;; !
y-3=2(x-1) ;; y=2x+1 ;; =
y-3=2(x-1) ;; y=2x-1 ;; !
x+2y-3=0 ;; x+2y=3 ;; =
x+2y-3=0 ;; 3-x-2y=0 ;; =
x+2y-3=0 ;; x-2y-3=0 ;; !
x=3y ;; y=\frac{x}{3} ;; =
x=3y ;; y=3x ;; !
xy=1 ;; y=\frac1x ;; =?
x^2=4 ;; x=\pm2 ;; =?
z^2=-1 ;; z=\pm i ;; =?
5 ;; 5.0000001 ;; !?
5 ;; 4.999 ;; !?
5 ;; 5\frac{0}{3} ;; =?
5 ;; 5^1 ;; =
5 ;; 05.00 ;; =
5 ;; 5,000 ;; !
5 ;; \frac{5}{1} ;; =
5 ;; 5:1 ;; =?
5 ;; 5\% ;; ?
5 ;; 500\% ;; =
5 ;; 5\text{ or }6 ;; !?
5 ;; x\ge5 ;; !?
5 ;; |{-5}| ;; =
5 ;; -(-5) ;; =
5 ;; --5 ;; =?
5 ;; 5 = 5 ;; =?
5 ;; 2+2=5 ;; =?
5 ;; \text{five} ;; =
5 ;; 5\text{ (units)} ;; =?
5 ;; $5$. ;; =
5 ;; \textbf{5} ;; =
5 ;; *5* ;; =?
5 ;; _5_ ;; =?
5 ;; # 5 ;; =?
5 ;; 5 \text{ and } 5 ;; ?
5 ;; \left\lfloor5.5\right\rfloor ;; =
5 ;; \frac{25}{5}=5 ;; =?
5 ;; null ;; !?
5 ;; NaN ;; !?
5 ;; I don't know ;; !?
5 ;; \text{I don't know} ;; !?
5 ;; The value cannot be determined ;; !?
5 ;; Let x = 5. Then x + 1 = 6. ;; ?
5 ;; The answer is 5, not 6. ;; =?
5 ;; It's either 5 or 6 ;; !?
5 ;; Answer: 5 (since 2+3=5) ;; =?
5 ;; \boxed{5}\text{ or }\boxed{6} ;; !?
5 ;; \boxed{6}\ \boxed{5} ;; !?
2 ;; x=1 y=2 ;; !?
(1,2) ;; x = 1 y = 2 ;; =?
x=1,y=2 ;; x=1 y=2 ;; =
x=1,y=2 ;; x=2 y=1 ;; !
7 ;; x = 3 + 4 = 7 ;; =?
7 ;; a = b = 7 ;; =?
\$115,000 ;; \$115 , 000 ;; =?
1,000,000 ;; 1, 000, 000 ;; =?
5 ;; 5, 6 ;; !
"""

FURTHER_2 = r"""
\frac{2}{7} ;; 0.2857142857142857 ;; =
\frac{2}{7} ;; 2/7 ;; =
\frac{2}{7} ;; 0.286 ;; ?
\frac{2}{7} ;; 0.29 ;; ?
\frac{2}{7} ;; 0.3 ;; !?
\frac{2}{7} ;; Fraction(2, 7) ;; =
\frac{2}{7} ;; 7/2 ;; !
2\sqrt{5} ;; 4.47213595499958 ;; =
2\sqrt{5} ;; 2*sqrt(5) ;; =
2\sqrt{5} ;; 4.47 ;; ?
2\sqrt{5} ;; 4.5 ;; !?
2\sqrt{5} ;; 5*sqrt(2) ;; !
\pi ;; 22/7 ;; !
(1,2) ;; (1, 2) ;; =
(1,2) ;; (2, 1) ;; !
(1,2) ;; [1, 2] ;; =?
(1,2) ;; x=1 y=2 ;; =?
(1,2) ;; {x: 1, y: 2} ;; =?
(1,2) ;; {'x': 1, 'y': 2} ;; =?
(1,2) ;; [(1, 2)] ;; =
(1,2) ;; 1\n2 ;; =?
1,2 ;; 1\n2 ;; =
1,2 ;; [2, 1] ;; =
1,2 ;; {1, 2} ;; =
1,2 ;; [1] ;; !
1,2 ;; 1 ;; !
x^2-1 ;; Poly(x**2 - 1, x, domain='ZZ') ;; =?
3+4i ;; (3+4j) ;; =
3+4i ;; 3 + 4*I ;; =
3+4i ;; (3.0000000000000004+4j) ;; =
3+4i ;; (3-4j) ;; !
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; [[1, 2], [3, 4]] ;; =
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; [[1 2]\n [3 4]] ;; =
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; Matrix([[1, 2], [3, 4]]) ;; =
\begin{pmatrix}1&2\\3&4\end{pmatrix} ;; Matrix([[1, 3], [2, 4]]) ;; !
\begin{pmatrix}1\\2\end{pmatrix} ;; Matrix([[1], [2]]) ;; =
\begin{pmatrix}1\\2\end{pmatrix} ;; [1 2] ;; =?
\begin{pmatrix}1\\2\end{pmatrix} ;; [2 1] ;; !?
(-\infty,2) ;; Interval.open(-oo, 2) ;; =
(-\infty,2) ;; Interval(-oo, 2) ;; !?
(-\infty,2) ;; (-oo < x) & (x < 2) ;; =
(-\infty,2) ;; x < 2 ;; =
[0,3) ;; Interval.Ropen(0, 3) ;; =
[0,3) ;; Interval(0, 3) ;; !
(-\infty,-1)\cup(2,\infty) ;; Union(Interval.open(-oo, -1), Interval.open(2, oo)) ;; =
(-\infty,-1)\cup(2,\infty) ;; ((-oo < x) & (x < -1)) | ((2 < x) & (x < oo)) ;; =
(-\infty,-1)\cup(2,\infty) ;; Or(And(-oo < x, x < -1), And(2 < x, x < oo)) ;; =?
50\% ;; 50.0 ;; ?
\$18.50 ;; 18.5 ;; =
\$18.50 ;; $18.50 ;; =
\$18.50 ;; The cost is $18.50 ;; =
18 ;; 18.0 ;; =
18 ;; 18.000000001 ;; =?
18 ;; 17.99999999999999 ;; =
18 ;; Total: 18 apples ;; =?
18 ;; 18\nDone ;; =?
18 ;; Done\n18 ;; =?
18 ;; Result: 17\nResult: 18 ;; =?
18 ;; Checking 17\nChecking 18\nFound: 18 ;; =?
18 ;; (18, 'apples') ;; =?
18 ;; {'answer': 18} ;; =?
18 ;; "18" ;; =
18 ;; '18' ;; =
18 ;; [18.0] ;; =
18 ;; array([18.]) ;; =?
18 ;; np.int64(18) ;; =
18 ;; tensor(18) ;; =?
18 ;; 18.0 19.0 ;; ?
18 ;; False ;; !?
18 ;; nan ;; !?
18 ;; inf ;; !
18 ;; -18 ;; !
18 ;; 1.8e1 ;; =
18 ;; 0b10010 ;; =?
18 ;; 0x12 ;; =?
18 ;; KeyError: 'x' ;; !
18 ;; Traceback (most recent call last):\n  ...\nValueError: 18 ;; !
18 ;; Eq(n, 18) ;; =
18 ;; {n: 18} ;; =
18 ;; [{n: 18}, {n: -18}] ;; ?
18 ;; n = 18 ;; =
18 ;; n=18, m=3 ;; ?
18 ;; 18 % 5 = 3 ;; !?
18 ;;  ;; !
18 ;; None ;; !
18 ;; Out: 18 ;; =
10^{20} ;; 100000000000000000000 ;; =
10^{20} ;; 1e+20 ;; =
10^{20} ;; 1e20 ;; =
2^{64} ;; 18446744073709551616 ;; =
2^{64} ;; 1.8446744073709552e+19 ;; =?
2^{64} ;; 18446744073709551615 ;; !
\frac{1}{1024} ;; 0.0009765625 ;; =
0 ;; 1.2246467991473532e-16 ;; =?
0 ;; 0.001 ;; !?
45^\circ ;; 45.0 ;; =
45^\circ ;; 0.7853981633974483 ;; =?
\text{Tuesday} ;; Tuesday ;; =
\text{Tuesday} ;; 2 ;; !?
\text{Tuesday} ;; Wednesday ;; !?
1,234 ;; 1234 ;; =
1,234 ;; 1,234 ;; =
1011_2 ;; 0b1011 ;; =
1011_2 ;; 1011 ;; =
1011_2 ;; 11 ;; ?
3:4 ;; 0.75 ;; =
3:4 ;; 3:4 ;; =
3:4 ;; (3, 4) ;; =?
y=2x+1 ;; Eq(y, 2*x + 1) ;; =
y=2x+1 ;; 2*x + 1 ;; =
y=2x+1 ;; 2*x - y + 1 = 0 ;; =
\log_2 3 ;; 1.584962500721156 ;; =
\log_2 3 ;; log(3)/log(2) ;; =
e^3 ;; 20.085536923187668 ;; =
e^3 ;; exp(3) ;; =
\{1,2,3\} ;; range(1, 4) ;; ?
\{1,2,3\} ;; dict_keys([1, 2, 3]) ;; =?
\emptyset ;; set() ;; =
\mathbb{R} ;; Reals ;; =?
"""

FURTHER_3 = r"""
5 ;; 5 apples ;; =
5 ;; 5.0 ;; =
5 ;; five ;; =
5 ;; 6 ;; !
5 ;; There are 5 apples. ;; =
5 ;; There are 6 apples. ;; !?
0.5 ;; 1/2 ;; =
0.5 ;; 50% ;; =
0.33 ;; 1/3 ;; ?
0.33 ;; 0.3333333333 ;; ?
1/3 ;; 0.33 ;; ?
12.5 ;; 12.50 ;; =
12.5 ;; 12.05 ;; !
12.5 ;; $12.50 ;; =
1000 ;; 1,000 ;; =
1000 ;; 1 000 ;; =
1000 ;; 1k ;; ?
1000 ;; 1.000 ;; !?
-3 ;; negative 3 ;; =?
-3 ;; 3 ;; !
7 ;; 7 hours ;; =
7 ;; 420 minutes ;; ?
7 ;; about 7 ;; =?
7 ;; 7-8 ;; !?
7 ;; 7 or 8 ;; !?
7 ;; at least 7 ;; ?
7 ;; 07 ;; =
"""

FURTHER_4 = r"""
3 ;; 3 cups ;; =
3 ;; 3 ;; =
3 ;; 3 pints ;; !?
3 ;; 48 tablespoons ;; =?
3 ;; 1.5 pints ;; =?
3 ;; 4 cups ;; !
"""

FURTHER_5 = r"""
250 ;; 2.5 m ;; =?
250 ;; 250 cm ;; =
250 ;; 2.5 ;; ?
250 ;; 250 m ;; !
250 ;; 25 cm ;; !
"""

FURTHER_6 = r"""
4.20 ;; $4.20 ;; =
4.20 ;; 4.2 ;; =
4.20 ;; 420 cents ;; =?
4.20 ;; 420 ;; !?
4.20 ;; $4.25 ;; !
"""

FURTHER_7 = r"""
5 ;; 5 ;; =
5 ;; 5.0 ;; =
5 ;; 5.000000000001 ;; =?
5 ;; Answer: 5 ;; =
5 ;; The answer is 6 ;; !?
12.35 ;; 12.345 ;; =?
12.35 ;; 12.350000000000001 ;; =
0.333 ;; 0.3333333333333333 ;; =?
3/4 ;; 0.75 ;; =
"""

FURTHER_8 = r"""
B ;; B. 120 ;; =
B ;; Option B ;; =
B ;; \text{B} ;; =
B ;; The answer is B. ;; =
B ;; The answer is (B) 120 ;; =
B ;; 625 ;; !
B ;; B and C ;; !?
B ;; not B ;; !?
B ;; 5! ;; =
B ;; None of the above ;; !?
B ;; I think the correct answer is B because 5! = 120 ;; =?
B ;; $B$ ;; =
B ;; **B** ;; =
B ;; Answer: b) ;; =
B ;;  ;; !
"""

FURTHER_9 = r"""
A ;; 0.75 ;; =?
A ;; B ;; =?
C ;; 0.25 ;; =?
C ;; 1/4 ;; =?
D ;; 30 minutes ;; =?
D ;; 0.5 hours ;; =?
D ;; 1/2 ;; =?
E ;; none of these ;; =
E ;; E ;; =
E ;; 7 ;; ?
"""

FURTHER_10 = r"""
A ;; 400 ;; =
A ;; Rs 400 ;; =
A ;; ₹400 ;; =
A ;; Rs. 500 ;; !
C ;; 1200 ;; =
D ;; 20 ;; =
D ;; 20 seconds ;; =
E ;; 2:3 ;; =
E ;; 2/3 ;; =?
E ;; 3:2 ;; !?
"""

FURTHER_11 = r"""
A ;; A ;; =
A ;; It is raining. ;; =
A ;; It is not raining. ;; !
A ;; (A) It is raining. ;; =
B ;; It is raining ;; !
D ;; Both A and B. ;; =
D ;; Both ;; =?
D ;; D ;; =
A ;; A, because it is wet. ;; =?
A ;; The correct choice is A ;; =
A ;; Answer:A ;; =
"""

FURTHER_12 = r"""
yes ;; Yes ;; =
yes ;; No ;; !
yes ;; Yes, because it is. ;; =
yes ;; It depends ;; ?
yes ;; Answer: yes ;; =
yes ;; The answer is no. ;; !
yes ;; yes and no ;; ?
yes ;; 1 ;; ?
no ;; No. ;; =
no ;; \boxed{No} ;; =
no ;; \text{no} ;; =
no ;; nope ;; =?
no ;; Not really ;; ?
no ;; No, yes is wrong ;; =?
no ;; There is no doubt: yes ;; !?
"""

FURTHER_13 = r"""
Barack Obama ;; Barack Obama ;; =
Barack Obama ;; barack obama. ;; =
Barack Obama ;; Obama ;; ?
Barack Obama ;; President Barack Obama ;; ?
Barack Obama ;; Michelle Obama ;; ?
Barack Obama ;; George Washington ;; !
the United States ;; United States ;; =
the United States ;; USA ;; =?
the United States ;; US ;; =?
United Kingdom ;; UK ;; =?
1999 ;; 1999 ;; =
1999 ;; In 1999 ;; =?
1999 ;; 2000 ;; !
July 4, 1776 ;; 4 July 1776 ;; =
July 4, 1776 ;; July 4 ;; ?
July 4, 1776 ;; 1776-07-04 ;; =?
July 4, 1776 ;; July 14, 1776 ;; !?
José ;; Jose ;; =
Is ;; is ;; =
Israel ;; Israel ;; =
Israel ;; rael ;; !?
About a Boy ;; About a Boy ;; =
Around the World ;; Around the World in 80 Days ;; ?
The Who ;; Who ;; =
The The ;; The The ;; =
12 million ;; 12,000,000 ;; =?
yes ;; yes ;; =
New York City ;; New York ;; ?
Paris, France ;; Paris ;; ?
J.K. Rowling ;; J. K. Rowling ;; =
J.K. Rowling ;; Rowling ;; ?
Dr. Seuss ;; Theodor Geisel ;; !?
three ;; 3 ;; =
3 ;; three ;; =
2nd ;; second ;; =?
Lord of the Rings ;; The Lord of the Rings ;; =
"Heroes" ;; Heroes ;; =
AC/DC ;; AC DC ;; =
AC/DC ;; ACDC ;; =?
"""

FURTHER_14 = r"""
Canada | USA ;; USA, Canada ;; =
Canada | USA ;; ['Canada', 'USA'] ;; =
Canada | USA ;; Canada\nUSA ;; =
Canada | USA ;; Canada ;; !
Canada | USA ;; Canada, USA, Mexico ;; !
Canada | USA ;; Canada and USA ;; =
Canada | USA ;; Canada|USA ;; =
5 ;; 5 ;; =
5 ;; 5.0 ;; =
5 ;; [5] ;; =
5 ;; 6 ;; !
1,234 ;; 1234 ;; =
2001-05-03 ;; May 3, 2001 ;; =
2001-05-03 ;; May 4, 2001 ;; !
2001 ;; 2001.0 ;; =
Washington, D.C. ;; Washington, D.C. ;; =
Washington, D.C. ;; Washington ;; !?
Smith (USA) ;; Smith ;; =
José | Ana ;; jose, ana ;; =
10 | 20 ;; [20, 10] ;; =
10 | 20 ;; 10 20 ;; =?
10 | 20 ;; 10 ;; !
yes ;; yes ;; =
yes ;; Yes ;; =
yes ;; True ;; =?
yes ;; no ;; !?
yes ;; False ;; !?
3:45 ;; 3:45 ;; =
3:45 ;; 3:46 ;; !
50% ;; 50 ;; =?
$5 ;; 5 ;; =?
a | b ;; NameError: name 'x' is not defined ;; !
a ;; None ;; !
a ;; [] ;; !
a ;; set() ;; !?
a ;; ['a', 'a'] ;; =?
"""
FURTHER_15 = r"""
2500000 ;; 2.5 million ;; =
2500000 ;; 2.5 mln ;; ?
2500000 ;; 2,5 Mio ;; ?
2500000 ;; 2,5 Mio. ;; ?
250000 ;; 2.5 lakh ;; ?
30000000 ;; 3 crore ;; ?
5000 ;; 5 grand ;; ?
5000 ;; 6 grand ;; !
50 ;; 5 apples ;; !
5 ;; I guess 5, possibly 6 ;; ?
5 ;; I think 5, but maybe 6 ;; ?
5 ;; 6, I guess ;; !?
"""

FURTHER_16 = r"""
Moscow ;; Москва ;; ?
東京 ;; Tokyo ;; ?
αβγ ;; alpha beta gamma ;; ?
日本 ;; 日本国 ;; ?
中国 ;; 中华人民共和国 ;; ?
กรุงเทพ ;; กรุงเทพมหานคร ;; ?
water ;; H2O ;; ?
CO2 ;; carbon dioxide ;; ?
Paris ;; London ;; !
Москва ;; Киев ;; !
"""

GROUPS: dict[str, tuple[str, dict[str, object]]] = {
    "further": (FURTHER_1, {"question": "Find it."}),
    "program, further pairs": (FURTHER_2, {"question": "Find it.", "task": "Math_PoT"}),
    "number 3": (FURTHER_3, {"grader": "number", "question": "How many?"}),
    "number 4": (FURTHER_4, {"grader": "number", "question": "How many?", "unit": "cups"}),
    "number 5": (FURTHER_5, {"grader": "number", "question": "How long?", "unit": "centimeters"}),
    "number 6": (FURTHER_6, {"grader": "number", "question": "How much?", "unit": "$"}),
    "number 7": (FURTHER_7, {"grader": "number", "question": "How many?", "task": "Math_PoT"}),
    "choice 8": (
        FURTHER_8,
        {"choices": ("24", "120", "625", "720", "1024"), "grader": "choice", "question": "Pick."},
    ),
    "choice 9": (
        FURTHER_9,
        {
            "choices": ("3/4", "0.75", "25%", "1/2 hour", "none of these"),
            "grader": "choice",
            "question": "Pick.",
        },
    ),
    "choice 10": (
        FURTHER_10,
        {
            "choices": ("Rs. 400", "Rs. 500", "Rs. 1,200", "20 sec", "2 : 3"),
            "grader": "choice",
            "question": "Pick.",
        },
    ),
    "choice 11": (
        FURTHER_11,
        {
            "choices": ("It is raining.", "It is not raining.", "No conclusion follows.", "Both A and B."),
            "grader": "choice",
            "question": "Pick.",
            "task": "Logic",
        },
    ),
    "boolean 12": (FURTHER_12, {"grader": "boolean", "question": "Is it?", "task": "Logic"}),
    "text 13": (FURTHER_13, {"grader": "text", "question": "Who?", "task": "Logic"}),
    "number 15": (FURTHER_15, {"grader": "number", "question": "How many?"}),
    "text 16": (FURTHER_16, {"grader": "text", "question": "What?", "task": "Logic"}),
    "answer_set 14": (FURTHER_14, {"grader": "answer_set", "question": "Find it.", "task": "Coding"}),
}

BOMBS: list[tuple[str, str, str]] = [
    (r"5", "(" * 5000 + "5" + ")" * 5000, "=?"),
    (r"5", "{" * 20000, "!?"),
    (r"5", "\\frac{1}{" * 300 + "2" + "}" * 300, "!?"),
    (r"5", "\\sqrt{" * 500 + "5" + "}" * 500, "!?"),
    (r"5", "1+" * 20000 + "1", "!?"),
    (r"5", "9" * 1000000, "!?"),
    (r"5", "x" * 100000, "!?"),
    (r"5", "5 " * 200000, "!?"),
    (r"5", ",".join(map(str, range(50000))), "!?"),
    (r"5", "2^" * 2000 + "2", "?"),
    (r"5", r"99999999999^{99999999999}", "!?"),
    (r"5", r"(((99999999!)!)!)!", "?"),
    (r"5", r"10^{10^9}", "!?"),
    (r"5", r"\binom{10^9}{5\cdot10^8}", "?"),
    (r"5", r"\sum_{k=1}^{10^{15}} \frac{1}{k}", "!?"),
    (r"5", r"\prod_{k=1}^{10^{7}} (1+\frac{1}{k})", "!?"),
    (r"5", r"\int_0^{1} e^{e^{e^{x}}} dx", "!?"),
    (r"5", r"(a+b+c+d+e+f+g)^{300}", "!?"),
    (r"5", r"\sqrt[10^9]{2^{10^9}}", "!?"),
    (r"5", r"\log_{2} (10^{10^{10}})", "!?"),
    (r"5", r"\sin(10^{10^{10}})", "?"),
    (r"5", "\\boxed{" * 3000 + "5" + "}" * 3000, "=?"),
    (r"5", "\\begin{pmatrix}" + "&".join(["1"] * 3000) + "\\end{pmatrix}", "!?"),
    (r"5", "a" * 50 + "!" * 1000, "!?"),
    (r"5", "5" + "!" * 400, "!?"),
    (r"5", " " * 3000000 + "5", "=?"),
    (r"5", "\\text{" + "word " * 50000 + "}", "!?"),
    (r"5", "The answer is " * 30000 + "5", "=?"),
    (r"5", "\\pm" * 40 + "5", "!?"),
    (",".join("\\pm " + str(k) for k in range(25)), ",".join("\\pm " + str(k) for k in range(25)), "="),
    (
        "{" + ",".join("\\sqrt{" + str(k) + "}" for k in range(2, 402)) + "}",
        "{" + ",".join("\\sqrt{" + str(k) + "}" for k in range(401, 1, -1)) + "}",
        "=?",
    ),
    (
        "(" + "+".join("x_{" + str(k) + "}" for k in range(60)) + ")^{20}",
        "(" + "+".join("x_{" + str(k) + "}" for k in range(59, -1, -1)) + ")^{20}",
        "=?",
    ),
    ("9" * 100000, "9" * 100000, "=?"),
    ("9" * 100000, "9" * 99999 + "8", "!?"),
    (r"\frac{x^{1000}-1}{x-1}", "+".join("x^{" + str(k) + "}" for k in range(1000)), "=?"),
    ("\\sqrt{2+" * 40 + "\\sqrt{2}" + "}" * 40, r"2", "!?"),
    (r"5", r"().__class__.__bases__[0].__subclasses__()", "!?"),
    (r"5", r"eval('5')", "!?"),
    (r"5", r"\input{/etc/passwd}", "?"),
]

TITLES = r"""
Is Paris Burning? | About Time | The Answer is 42 | Exactly | Roughly Speaking | Therefore I Am | Around the Bend | Is
No Doubt | True Grit | Not Without My Daughter | Catch-22 | Apollo 13 | Se7en | M*A*S*H | $9.99 | 50/50 | C++ | E.T.
(500) Days of Summer | "Weird Al" Yankovic | AC/DC | 2001: A Space Odyssey | Star Wars: Episode IV | Shaquille O'Neal
Israel | Istanbul | Isle of Man | Aboutrika | Exactlyville | between 1990 and 1995 | 1990–1995 | São Paulo | 100% | 北京
Москва | 5'10" | 6 ft 2 in | 20 °C | Henry VIII | The The | A | Either/Or | None | N/A | e | pi | Mr. & Mrs. Smith | F#
R2-D2 | 50 Cent | Blink-182 | 7-Eleven | No. 1 | Maybe | Solution: none | Less Than Zero | Jeopardy! | a_b | x^2 | .NET
To be or not to be | www.example.com | [REC] | (A) | <tag> | `code` | *star* | -- | ? | Incorrect
"""
"""Answers that begin with, end in or consist of what a reader of answers looks for; each is its own gold answer."""
COUNTED = r"""
apples | cosines | sinks | logs | cots | tangerines | sectors | sec | minutes | maxima | items | inches | orders | its
exponents | pies | e-books | modems | andirons | points | people | miles/hour | km/h | boxes of chocolates | red balls
square feet | cubic meters | members | a day | per week | degrees Celsius | mL | L | N | Hz | times
"""
"""What numbers count; none may be taken for mathematics."""
