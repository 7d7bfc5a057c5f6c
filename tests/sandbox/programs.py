"""Some three hundred small programs of the kind that language models write, for comparing backends with IPython.

Each is a tuple of cells and a standard input. None depends on the clock, on addresses or on a library's version.
This module is long because it is one table, which is read program by program.
"""

from __future__ import annotations

EXPRESSIONS = r"""
1 + 1
7 // 2, 7 % 2, -7 // 2, -7 % 2, divmod(-7, 2)
2 ** 100
10 ** -2
(-8) ** (1/3)
0.1 + 0.2
1e300 * 1e10
float('nan')
-float('inf')
complex(1, -2) * 3j
(1j) ** 2
round(2.5), round(3.5), round(-2.675, 2)
int('ff', 16), int('-101', 2), int('  42 ')
hex(255), oct(8), bin(-5)
True + True
not 0, not '', bool([0])
None
...
'a' 'b'
'it\'s "quoted"'
"line\nbreak\ttab\\"
'\u00e9\u4e2d\U0001f600'
b'bytes\x00\xff'
r'\d+'
f'{3.14159:.2f} {1_000_000:,} {"x":>5} {255:#x} {0.25:%}'
f'{1+1=}'
'%s and %d and %05.1f' % ('a', 3, 2.5)
'abc'[::-1], 'abcdef'[1:4], 'abc'[-1]
'a,b,,c'.split(','), ' x  y '.split(), 'x'.join(['1', '2'])
'Hello World'.swapcase().center(20, '*')
'banana'.count('an'), 'banana'.find('z'), 'banana'.replace('a', 'o', 2)
'abc' < 'abd', 'Z' < 'a'
ord('a'), chr(97), 'ß'.upper()
[1, 2, 3]
[]
(1,)
()
{}
set()
{'b': 1, 'a': [2, {'c': None}]}
{3: 'x', 1: 'y'}
frozenset([1])
[1, [2, [3, [4]]]]
[x ** 2 for x in range(10) if x % 2]
{x: x * x for x in range(4)}
sorted({5, 3, 1})
[*range(3), *'ab'], {**{'a': 1}, 'b': 2}
list(zip('abc', [1, 2, 3]))
list(enumerate('ab', 1))
list(map(lambda x, y: x + y, [1, 2], [3, 4]))
list(filter(None, [0, 1, '', 'a', None]))
list(reversed([1, 2, 3]))
sorted(['b', 'A', 'c'], key=str.lower, reverse=True)
max([3, 1, 2]), min('hello'), sum([0.1] * 10)
max([1, 2, 3], key=lambda x: -x)
any([]), all([])
range(10)
range(0, 10, 3)
slice(1, 2)
type(3), type('a'), type(None)
int
len
print
isinstance(True, int), issubclass(bool, int)
[1, 2] + [3], [0] * 3, (1, 2) * 2
[1, 2, 3] == [1, 2, 3], [1] is [1]
1 < 2 < 3, 1 == 1.0 == True
5 if False else 6
(lambda x: x + 1)(2)
x if (x := 5) > 3 else 0
(y := 10, y + 1)
abs(-3), abs(3+4j), pow(2, 10, 1000)
1_000_000
0b1010 | 0x0f, 6 & 3, 6 ^ 3, ~5, 1 << 10, -1 >> 1
3 @ 4 if False else 'no'
'a' in 'abc', 3 not in [1, 2]
bytes([65, 66]).decode(), 'é'.encode()
bytearray(b'abc')
memoryview(b'abc')[1]
[10**20, -0.0, 1e-7, 1e16, 123456789.123456789]
__name__
__import__('math').pi
__import__('math').factorial(30)
__import__('math').gcd(12, 18), __import__('math').lcm(4, 6), __import__('math').comb(10, 3)
__import__('math').sqrt(2), __import__('math').log(10), __import__('math').isclose(0.1 + 0.2, 0.3)
__import__('fractions').Fraction(3, 12) + 1
__import__('decimal').Decimal('0.1') + __import__('decimal').Decimal('0.2')
__import__('datetime').date(2024, 2, 29) + __import__('datetime').timedelta(days=366)
__import__('datetime').datetime(2020, 1, 1, 12, 30)
__import__('collections').Counter('mississippi')
__import__('collections').Counter('mississippi').most_common(2)
__import__('collections').OrderedDict(a=1, b=2)
__import__('collections').deque([1, 2, 3], maxlen=2)
__import__('collections').defaultdict(list, {'a': [1]})
__import__('itertools').combinations('abc', 2).__next__()
list(__import__('itertools').permutations([1, 2, 3]))
list(__import__('itertools').product([0, 1], repeat=3))
list(__import__('itertools').accumulate([1, 2, 3, 4]))
list(__import__('itertools').groupby('aabbc'))[0][0]
__import__('functools').reduce(lambda a, b: a * b, range(1, 8))
__import__('statistics').mean([1, 2, 3, 4]), __import__('statistics').stdev([1, 2, 3, 4])
__import__('re').findall(r'\d+', 'a1b22c333')
__import__('re').sub(r'(\w+) (\w+)', r'\2 \1', 'hello world')
__import__('re').match('a', 'b')
__import__('re').match('a+', 'aaa')
__import__('json').dumps({'a': [1, 2.5, None, True]}, indent=1)
__import__('json').loads('[1, {"a": "b"}]')
__import__('string').ascii_lowercase
__import__('textwrap').fill('the quick brown fox', 10)
__import__('heapq').nsmallest(2, [5, 1, 4])
__import__('bisect').bisect([1, 3, 5], 3)
__import__('operator').itemgetter(1)([4, 5])
__import__('calendar').isleap(2000)
__import__('hashlib').md5(b'a').hexdigest()
__import__('base64').b64encode(b'hello')
__import__('random').Random(7).random()
__import__('random').Random(1).sample(range(100), 5)
__import__('uuid').UUID(int=5)
__import__('cmath').sqrt(-1)
__import__('array').array('i', [1, 2])
__import__('struct').pack('<I', 1)
__import__('types').SimpleNamespace(a=1)
__import__('pathlib').PurePosixPath('/a/b').parent
__import__('enum').Enum('Color', 'RED GREEN').RED
__import__('time').gmtime(0).tm_year
"""

ERRORS = r"""
1 / 0
1.0 % 0
undefined_name
[][0]
{}['k']
{'a': 1}[('x', 2)]
int('x')
float('1,5')
'a' + 1
len(5)
None.x
'abc'.nope
(1, 2)[5]
[1, 2, 3].index(9)
{1}.remove(2)
a, b = 1
a, b = 1, 2, 3
import no_such_module
from math import nope
raise ValueError('boom')
raise ValueError
raise KeyError('k')
raise Exception('a', 1)
assert 1 == 2
assert False, 'message'
raise RuntimeError('x') from KeyError('y')
next(iter([]))
open('/no/such/file')
chr(-1)
bytes([256])
'é'.encode('ascii')
b'\xff'.decode()
10 ** 400 * 1.0
__import__('math').sqrt(-1)
__import__('math').log(0)
__import__('json').loads('{bad')
__import__('decimal').Decimal('x')
__import__('fractions').Fraction(1, 0)
__import__('datetime').date(2023, 2, 29)
__import__('re').compile('(')
int('1' * 5000)
[].pop()
object() < object()
sorted([1, 'a'])
(lambda: 1)(2)
print(1, nope=2)
type('A', (int, str), {})
x = = 1
print 'hello'
if True print(1)
for i in range(3)
def f(
(1, 2
]
'unterminated
f'{'
1 +
return 5
break
yield 1
nonlocal x
x = 08
import
(lambda: (yield))().__next__(1)
class
1 = x
f() = 3
del 1
a b
"""

PROGRAMS = r"""
print(1)
print(2)
3
#---
print('a', 'b', sep='-', end='!\n')
#---
print('no newline', end='')
#---
print('x'); print('y'); 5;
#---
x = 5
x;
#---
x = 5
x
#---
x = [1, 2]
x.append(3)
#---
x = 3
if x > 2:
    print('big')
else:
    print('small')
#---
for i in range(3):
    i
#---
def f(n):
    return n if n < 2 else f(n - 1) + f(n - 2)
f(20)
#---
class P:
    def __init__(self, x):
        self.x = x
    def __repr__(self):
        return f'P({self.x})'
    def __add__(self, other):
        return P(self.x + other.x)
P(1) + P(2)
#---
class P:
    def __str__(self):
        return 'text'
print(P())
#---
from dataclasses import dataclass, field
@dataclass(order=True)
class D:
    a: int
    b: list = field(default_factory=list)
sorted([D(2), D(1, [3])])
#---
from enum import Enum
class C(Enum):
    RED = 1
    BLUE = 'b'
list(C)
#---
from typing import NamedTuple
class N(NamedTuple):
    x: int
    y: str = 'a'
N(1)
#---
from collections import namedtuple
Q = namedtuple('Q', 'a b')
Q(1, b=2)._replace(a=5)
#---
def g():
    yield 1
    x = yield 2
    yield x
it = g()
[next(it), next(it), it.send('sent')]
#---
try:
    1 / 0
except ZeroDivisionError as e:
    print('caught', e)
finally:
    print('done')
#---
try:
    int('x')
except ValueError:
    raise KeyError('other')
#---
def a():
    b()
def b():
    raise LookupError('deep')
a()
#---
def f():
    return g()
def g():
    return 1 / 0
print('before')
f()
print('after')
#---
class MyError(Exception):
    pass
raise MyError('mine')
#---
def f(n):
    return f(n + 1)
f(0)
#---
with open('x.txt', 'w') as fh:
    fh.write('line 1\nline 2\n')
print(open('x.txt').read())
#---
import os
os.makedirs('d/e')
open('d/e/f', 'w').close()
sorted(os.walk('d'))
#---
import sys
print('out')
print('err', file=sys.stderr)
#---
import sys
sys.stdout.write('raw\n')
None
#---
import sys
len(sys.argv) >= 1
#---
import warnings
warnings.simplefilter('ignore')
warnings.warn('quiet')
1
#---
n = int(input())
print(sum(int(input()) for _ in range(n)))
#<<<
3
1
2
3
#---
print([line.strip() for line in __import__('sys').stdin])
#<<<
a
b
#---
name = input('Your name? ')
print('Hello', name)
#<<<
Ada
#---
import sys
data = sys.stdin.read().split()
data
#<<<
1 2
3
#---
input()
#---
while True:
    try:
        print(input().upper())
    except EOFError:
        print('end')
        break
#<<<
one
two
#---
import asyncio
async def main():
    await asyncio.sleep(0)
    return 'done'
asyncio.new_event_loop().run_until_complete(main())
#---
import asyncio
await asyncio.sleep(0, result='awaited')
#---
import asyncio
async def f(x):
    await asyncio.sleep(0)
    return x * 2
r = await asyncio.gather(f(1), f(2))
r
#---
async def agen():
    yield 1
    yield 2
[x async for x in agen()]
#---
if __name__ == '__main__':
    print('main')
#---
def main():
    print('in main')
    return 3
if __name__ == '__main__':
    main()
#---
import pickle
class L:
    def __init__(self):
        self.a = 1
pickle.loads(pickle.dumps(L())).a
#---
from multiprocessing import get_context
def sq(x):
    return x * x
with get_context('fork').Pool(2) as p:
    print(p.map(sq, [1, 2, 3]))
#---
import threading
r = []
ts = [threading.Thread(target=r.append, args=(i,)) for i in range(3)]
[t.start() for t in ts]
[t.join() for t in ts]
sorted(r)
#---
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(2) as e:
    r = list(e.map(lambda x: x + 1, range(3)))
r
#---
import subprocess
subprocess.run(['echo', 'hi'], capture_output=True, text=True).stdout
#---
import os
os.system('echo from a shell')
#---
from functools import lru_cache
@lru_cache(None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(80)
#---
global_x = 1
def inc():
    global global_x
    global_x += 1
inc()
global_x
#---
x = 1
def f():
    print(x)
    x = 2
f()
#---
match [1, 2, 3]:
    case [a, *rest]:
        print(a, rest)
#---
match {'k': 5}:
    case {'k': int(v)} if v > 3:
        v
#---
lst = [1, 2, 3]
a, *b = lst
b
#---
# only a comment
#---
'''docstring'''
#---
'''doc'''
x = 1
#---
x: int = 5
x
#---
import math as m, os.path
from math import *
floor(pi)
#---
def f(*args, **kw):
    return args, kw
f(1, 2, a=3)
#---
def f(x, /, y, *, z=3):
    return x + y + z
f(1, y=2)
#---
def f(x, /): pass
f(x=1)
#---
d = {}
d.setdefault('a', []).append(1)
d
#---
s = {1, 2}
s |= {3}
s & {2, 3}
#---
it = iter([1])
next(it)
next(it, 'default')
#---
def deco(f):
    def w(*a):
        return f(*a) + 1
    return w
@deco
def g(x):
    return x
g(1)
#---
class A:
    @property
    def x(self):
        return 1
    @staticmethod
    def s():
        return 2
    @classmethod
    def c(cls):
        return cls.__name__
A().x, A.s(), A.c()
#---
class A:
    def f(self): return 'A'
class B(A):
    def f(self): return super().f() + 'B'
B().f()
#---
class A:
    __slots__ = ('x',)
A().y = 1
#---
from abc import ABC, abstractmethod
class A(ABC):
    @abstractmethod
    def f(self): ...
A()
#---
class C:
    def __enter__(self):
        print('in')
        return self
    def __exit__(self, *a):
        print('out')
        return True
with C():
    1 / 0
#---
from contextlib import contextmanager
@contextmanager
def c():
    print('in')
    yield 1
    print('out')
with c() as x:
    print(x)
#---
x = 10
del x
x
#---
x = 5
x += 1
x -= 10
x
#---
print(*[1, 2, 3], sep='\n')
#---
print()
print('')
#---
print('é中😀')
#---
print('a\tb\rc')
#---
print('x' * 200)
#---
for i in range(100): print(i)
#---
from decimal import *
getcontext().prec = 5
Decimal(1) / Decimal(3)
#---
from fractions import Fraction as F
sum(F(1, n) for n in range(1, 10))
#---
def sieve(n):
    s = [True] * (n + 1)
    for i in range(2, int(n ** .5) + 1):
        if s[i]:
            for j in range(i * i, n + 1, i):
                s[j] = False
    return [i for i in range(2, n + 1) if s[i]]
len(sieve(10000))
#---
from collections import deque
q = deque([0])
seen = {0}
while q:
    v = q.popleft()
    for w in (v + 3, v * 2):
        if w < 20 and w not in seen:
            seen.add(w)
            q.append(w)
sorted(seen)
#---
import numpy as np
np.arange(6).reshape(2, 3) @ np.ones((3, 1))
#---
import numpy as np
print(np.array([1.5, 2, 3]))
np.linalg.det(np.array([[1., 2], [3, 4]])).round(6)
#---
import numpy as np
np.array([1, 2]) + np.array([1, 2, 3])
#---
import numpy as np
int(np.sum(np.eye(3))), np.float64(2.5), np.int64(3)
#---
import numpy as np
np.roots([1, -3, 2])
#---
import numpy as np
print(np.polyfit([0, 1, 2], [1, 3, 5], 1).round(3))
#---
import sympy as sp
x = sp.symbols('x')
sp.solve(x ** 2 - 5 * x + 6, x)
#---
from sympy import *
x, y = symbols('x y')
expand((x + y) ** 3)
#---
from sympy import *
x = symbols('x')
integrate(sin(x) ** 2, (x, 0, pi))
#---
from sympy import *
x = symbols('x')
diff(exp(x ** 2), x), limit(sin(x) / x, x, 0), series(cos(x), x, 0, 6)
#---
from sympy import *
simplify(sqrt(8)), Rational(3, 6), factorint(360), isprime(97)
#---
from sympy import *
Matrix([[1, 2], [3, 4]]).inv()
#---
from sympy import *
print(solve([Symbol('a') + Symbol('b') - 3, Symbol('a') - Symbol('b') - 1]))
#---
from sympy import symbols, Eq, solve
x, y = symbols('x y')
solution = solve((Eq(2 * x + y, 10), Eq(x - y, 2)), (x, y))
solution[x], solution[y]
#---
from sympy import *
sympify('1/0')
#---
from sympy import *
solve('x**2 +', 'x')
#---
from sympy import N, pi, sqrt
N(pi, 30), (1 + sqrt(5)).evalf()
#---
from sympy import *
nsolve(cos(Symbol('x')) - Symbol('x'), 1)
#---
import pandas as pd
pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})
#---
import pandas as pd
df = pd.DataFrame({'k': ['a', 'b', 'a'], 'v': [1, 2, 3]})
print(df.groupby('k')['v'].sum().to_dict())
#---
import pandas as pd
pd.DataFrame({'a': [1]})['b']
#---
import pandas as pd
pd.Series([3, 1, 2]).sort_values().tolist()
#---
from scipy.optimize import brentq
round(brentq(lambda x: x ** 2 - 2, 0, 2), 6)
#---
from scipy.stats import norm
round(float(norm.cdf(1.96)), 4)
#---
from scipy.special import comb, factorial
comb(5, 2, exact=True), factorial(5, exact=True)
#---
from scipy.integrate import quad
round(quad(lambda x: x ** 2, 0, 3)[0], 6)
#---
import random
random.seed(42)
[random.randint(1, 100) for _ in range(5)]
#---
import numpy as np
np.random.seed(0)
np.random.randint(0, 10, 5).tolist()
#---
import numpy as np
np.random.default_rng(3).integers(0, 100, 4).tolist()
#---
x = 5
#===
x + 1
#---
x = 5
y = undefined
#===
x
#---
def f(): return 1
#===
def f(): return f2() + 1
def f2(): return 10
#===
f()
#---
print('silent')
1 + 1
#===
'loud'
#---
import math
#===
math.floor(2.7)
#---
class A: pass
a = A()
#===
isinstance(a, A)
#---
x = [1]
#===
x.append(2)
#===
x.append(3)
x
#---
x = 1
#===
def broken(:
#===
x + 1
#---
x = 1
#===
1 / 0
x = 2
#===
x
#---
raise SystemExit
#===
'still here'
#---
from __future__ import annotations
#===
def f(x: Undefined) -> Nope: pass
f.__annotations__
#---
1
#===
2
#===
_ + 1
#---
import os
os.chdir('/')
#===
os.getcwd()
#---
open('kept', 'w').write('x')
#===
open('kept').read()
#---
import random
random.seed(1)
#===
random.random()
#---
def gen():
    for i in range(3):
        yield i
g = gen()
next(g)
#===
list(g)
#---
display(5)
#---
(1 +
 2 +
 3)
#---
x = \
    5
x
#---
def f():
    '''doc'''
f.__doc__
#---
  x = 1
  x + 1
#---


x = 1

x

#---
if True:
x = 1
#---
def f():
	x = 1
        y = 2
#---
x = 1
  y = 2
#---
print("unbalanced"
x = 1
#---
else:
    pass
#---
for x in range(2): print(x)
else: print('else')
#---
print(f"{'nested'!r:>10}")
#---
'%d' % 'x'
#---
'{} {}'.format(1)
#---
import json
print(json.dumps({'z': 1, 'a': [True, None]}, sort_keys=True))
#---
import csv, io
list(csv.reader(io.StringIO('a,"b,c"\n1,2')))
#---
import itertools
sum(1 for a, b, c in itertools.combinations(range(1, 30), 3) if a * a + b * b == c * c)
#---
import datetime
print((datetime.date(2024, 3, 1) - datetime.date(2024, 2, 1)).days)
#---
import string
print(''.join(c for c in 'Hello, World!' if c not in string.punctuation))
#---
exec('y = 3')
y
#---
eval('1 + ')
#---
compile('x =', '<s>', 'exec')
#---
globals()['dyn'] = 9
dyn
#---
import sys
sys.setrecursionlimit(3000)
def depth(n): return 0 if n == 0 else 1 + depth(n - 1)
depth(2000)
#---
import sys
sys.exit(3)
#---
raise KeyboardInterrupt
#---
raise StopIteration
#---
raise BaseException('base')
#---
raise 'text'
#---
class E(Exception):
    def __str__(self): return 'custom text'
raise E
#---
raise ExceptionGroup('group', [ValueError('a'), TypeError('b')])
#---
e = ValueError('with note')
e.add_note('the note')
raise e
#---
def f(x):
    assert isinstance(x, int), f'{x!r} is no int'
f('a')
#---
d = {'a': 1}
for k in d:
    d['b'] = 2
#---
def f():
    return
f()
#---
[print(i) for i in range(3)]
#---
lambda x: x
type(lambda: 0).__name__
#---
x = y = []
x.append(1)
y
#---
print(type(1 / 1), type(4 // 2), 7 / 2)
#---
a = 'total'
print(f'{a}: {sum(range(101))}')
#---
import time
t = time.time()
time.sleep(0.01)
time.time() > t
#---
import copy
a = [[1], [2]]
b = copy.deepcopy(a)
b[0].append(9)
a, b
#---
import sys
print(sys.version_info[0])
#---
import operator, functools
functools.partial(operator.add, 1)(2)
#---
5
#===
6
#===
_, __, ___, _1, Out[2], In[1]
#---
_ = 4
7
#===
8
#===
_, _2
#---
[_ for _ in range(3)]
#===
__ == '' and _
#---
x = 1;
x;
#===
sorted(Out)
#---
x = 3; Out
#===
sorted(Out)
#---
raise ExceptionGroup('g', [ValueError(1), ExceptionGroup('h', [TypeError('x')])])
#---
try:
    raise ExceptionGroup('g', [ValueError(1), TypeError('x')])
except* ValueError as e:
    print(len(e.exceptions))
#---
try:
    1 / 0
except ZeroDivisionError as e:
    raise KeyError('a') from e
#---
e = ValueError('x')
e.add_note('a note')
raise e
#---
import sys, io
sys.stdout = io.StringIO()
print('hidden')
5
#---
import sys
sys.modules['json'] = None
import json
#---
import sys
sys.tracebacklimit = 0
1 / 0
#---
raise GeneratorExit('now')
#---
class Stop(BaseException): pass
raise Stop('here')
#---
import sys
sys.setrecursionlimit(10**6)
def f(n): return 0 if n == 0 else 1 + f(n - 1)
f(20_000)
#---
import multiprocessing as mp
def work(q):
    q.put([i * i for i in range(4)])
q = mp.Queue()
p = mp.Process(target=work, args=(q,))
p.start()
r = q.get()
p.join()
r, p.exitcode
#---
from concurrent.futures import ProcessPoolExecutor
def f(x): return x + 1
with ProcessPoolExecutor(2) as ex:
    r = list(ex.map(f, [1, 2]))
r
#---
import signal
def ring(*a): raise TimeoutError('alarm')
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 0.2)
while True: pass
#---
import warnings
with warnings.catch_warnings():
    warnings.simplefilter('error')
    warnings.warn('careful')
#---
exec('x = 1\n1 / 0')
#---
eval('1 +')
#---
x = '''abc
def
#---
if True:
print(1)
#---
class A:
  def f(self):
    pass
   def g(self): pass
#---
async def f():
    for i in range(3):
        yield i
[i async for i in f()]
#---
import inspect
def f(): return 3
print(inspect.getsource(f))
#---
import ctypes
ctypes.c_int(2**31).value
"""


def programs() -> list[tuple[tuple[str, ...], str]]:
    """Cells and standard input of each program."""
    found: list[tuple[tuple[str, ...], str]] = []
    for block in (EXPRESSIONS, ERRORS):
        found += [((line,), "") for line in block.strip("\n").split("\n")]
    for text in PROGRAMS.strip("\n").split("\n#---\n"):
        source, _, stdin = text.partition("\n#<<<\n")
        found.append((tuple(source.split("\n#===\n")), stdin + "\n" if stdin else ""))
    return found
