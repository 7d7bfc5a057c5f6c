# The cell before a second replay of right calls: another time of another day, and another seed. What then differs from
# the first replay depends on the clock or on chance, however coarse the clock and however near in time the replays.


def _ui_shift():
    import datetime
    import sys
    import time

    seconds = 90_061  # a day, an hour, a minute and a second
    clock, clock_ns = time.time, time.time_ns
    time.time = lambda: clock() + seconds
    time.time_ns = lambda: clock_ns() + seconds * 10**9

    def later(real):
        return lambda at=None: real(time.time() if at is None else at)

    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, later(getattr(time, name)))
    strftime, asctime = time.strftime, time.asctime
    time.strftime = lambda form, at=None: strftime(form, time.localtime() if at is None else at)
    time.asctime = lambda at=None: asctime(time.localtime() if at is None else at)
    shift = datetime.timedelta(seconds=seconds)

    def shifted(real, made):
        class Like(type(real)):
            def __instancecheck__(cls, value):
                return isinstance(value, real)

            def __subclasscheck__(cls, kind):
                return issubclass(kind, real)

        def new(cls, *arguments, **named):
            return real(*arguments, **named)

        methods = {name: classmethod(method) for name, method in made.items()}
        return Like(real.__name__, (real,), {"__new__": new, **methods})

    moment, day = datetime.datetime, datetime.date
    datetime.datetime = shifted(
        moment,
        {
            "now": lambda cls, tz=None: moment.now(tz) + shift,
            "utcnow": lambda cls: moment.now(datetime.UTC).replace(tzinfo=None) + shift,
            "today": lambda cls: moment.now() + shift,
        },
    )
    datetime.date = shifted(day, {"today": lambda cls: (moment.now() + shift).date()})
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


_ui_shift()
