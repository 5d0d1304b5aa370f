//! What people wrote in the rooms of the plain story. All of it is made up.

/// A room's conversation, the oldest line first.
pub(super) struct Chat {
    /// What the room is called, or who its direct chat is with.
    pub(super) room: &'static str,
    /// What was written in it.
    pub(super) lines: &'static [Line],
}

/// One event.
pub(super) struct Line {
    /// Days before the day on which the story plays.
    pub(super) day: i64,
    /// Hour and minute as four digits.
    pub(super) time: i64,
    /// Who wrote it.
    pub(super) from: &'static str,
    /// What is known of its key.
    pub(super) key: Key,
    /// What was written.
    pub(super) what: What,
}

/// What is known of the key of a line.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The current backup holds it from the start.
    Held,
    /// The current backup holds it from the third of these lines on.
    Late,
    /// Only the older backup holds it.
    Older,
    /// The current backup holds it, damaged.
    Damaged,
    /// No backup holds it.
    Nowhere,
    /// There is none: the line was never locked.
    NeverLocked,
}

/// What a line is.
pub(super) enum What {
    Text(&'static str),
    /// An answer to the line that stands so many before it.
    Answer(usize, &'static str),
    /// A new text for the line that stands so many before it.
    Edit(usize, &'static str),
    /// A picture's name and its size in bytes.
    Photo(&'static str, u64),
    /// A file's name and its size in bytes.
    File(&'static str, u64),
    /// A sign beside the line that stands so many before it.
    Reaction(usize, &'static str),
    /// Something that its author deleted.
    Deleted,
}

use Key::{Damaged, Held, Late, NeverLocked, Nowhere, Older};
use What::{Answer, Deleted, Edit, File, Photo, Reaction, Text};

const ADA: &str = "@ada:example.org";
const GRACE: &str = "@grace:example.org";
const ALAN: &str = "@alan:example.net";
const MARY: &str = "@mary:example.org";

/// A line whose key is held.
const fn line(day: i64, time: i64, from: &'static str, what: What) -> Line {
    Line { day, time, from, key: Held, what }
}

const fn says(day: i64, time: i64, from: &'static str, text: &'static str) -> Line {
    line(day, time, from, Text(text))
}

impl Line {
    const fn key(self, key: Key) -> Self {
        Self { key, ..self }
    }
}

const FAMILY: &[Line] = &[
    says(13, 2003, MARY, "A room for all of us. Who knows where the lock is switched on?")
        .key(NeverLocked),
    says(12, 1804, GRACE, "Grandmother turns eighty on the 28th. Lunch at ours, all of you."),
    says(12, 1806, ALAN, "We come on Friday evening already, if there is a bed."),
    line(12, 1809, GRACE, Answer(1, "There is a bed and a half. The half one is yours.")),
    says(12, 1815, ADA, "I bring the chairs from the attic."),
    says(12, 1931, MARY, "And I the cake. Plum, as always."),
    line(12, 1932, GRACE, Reaction(1, "🥧")),
    says(10, 715, ALAN, "The train is booked: arrives 19:52.").key(Older),
    says(10, 718, ALAN, "Two seats, one bicycle.").key(Older),
    says(10, 812, GRACE, "Then soup at eight."),
    line(9, 2040, MARY, Photo("plums-in-the-bowl.jpg", 2_143_880)),
    says(9, 2041, MARY, "Four kilos. Is that enough?"),
    line(9, 2044, ADA, Answer(1, "For eighty candles? Barely.")),
    says(9, 2046, GRACE, "😄 😄 😄"),
    says(8, 903, ALAN, "Does anyone have the recipe for her dumplings?").key(Late),
    says(8, 905, ALAN, "The one with marjoram, not the other.").key(Late),
    says(8, 920, ALAN, "Never mind, it was in the old cookbook, page 41.").key(Late),
    says(8, 922, MARY, "Page 41 has a stain shaped like a duck. That is the one."),
    line(7, 1210, GRACE, Deleted),
    says(7, 1212, GRACE, "Wrong room, sorry. That was for the allotment."),
    says(6, 1733, MARY, "Uncle Theo will sing. Somebody has to tell him the key."),
    line(6, 1735, ADA, Answer(1, "Any key but his own.")),
    says(6, 1741, ALAN, "I tune the piano on Saturday morning.").key(Damaged),
    says(5, 1002, GRACE, "دعوة الجيران أيضًا؟ كتبت لهم بطاقة."),
    says(5, 1005, MARY, "Yes, all three doors. يا سلام 🎉"),
    says(4, 2111, ADA, "Lunch is at twelve?"),
    says(4, 2113, GRACE, "At one. The oven is slow."),
    line(4, 2120, GRACE, Edit(1, "At half past twelve. The oven is slow, but I begin early.")),
    line(4, 2122, ALAN, File("seating-plan.pdf", 48_212)),
    says(4, 2123, ALAN, "Children by the window, uncles far from the piano."),
    line(3, 806, MARY, Text("My old phone wrote this one.")).key(Nowhere),
    line(3, 807, MARY, Text("And this one.")).key(Nowhere),
    says(3, 811, MARY, "So. New phone, same Mary."),
    line(3, 812, GRACE, Reaction(1, "👍")),
    says(
        2,
        1922,
        ADA,
        "The chairs are in the car. One leg is missing,\nbut it has been missing since 1994.",
    ),
    line(2, 1930, GRACE, Answer(1, "It is the dog’s chair anyway.")),
    says(1, 1647, ALAN, "We are on the train. Bicycle too."),
    says(1, 2003, GRACE, "Soup is on the table 🍲"),
    says(0, 741, MARY, "Cake is out. Nobody may look at it before Saturday."),
    line(0, 752, ADA, Answer(1, "I only smell it from across the street.")),
    says(0, 915, GRACE, "Who fetches grandmother?"),
    says(0, 918, ADA, "I do. Half past eleven, with the good umbrella."),
];

const RELEASE: &[Line] = &[
    says(6, 910, GRACE, "Branch 4.2 is cut. From now on only fixes."),
    says(6, 914, ALAN, "The importer still fails on empty columns."),
    line(6, 921, ADA, Answer(1, "Mine. A fix is in review, with a test that fails without it.")),
    says(6, 1102, MARY, "Notes are drafted; please read the part about time zones."),
    says(5, 930, ALAN, "Numbers from the night: 1 812 passed, 2 failed, both in the scheduler."),
    says(5, 941, GRACE, "Both or the same one twice?"),
    line(
        5,
        944,
        ALAN,
        Edit(2, "Numbers from the night: 1 813 passed, 1 failed, in the scheduler."),
    ),
    says(5, 1320, ADA, "Reproduced: it needs the clock to jump back an hour.").key(Late),
    says(5, 1322, ADA, "So in autumn only, once a year, at three in the morning.").key(Late),
    says(5, 1340, ADA, "Fixed by not asking the clock twice.").key(Late),
    line(4, 1015, MARY, File("release-notes-4.2.md", 7_340)),
    says(4, 1016, MARY, "Last call for the notes."),
    line(4, 1030, GRACE, Answer(1, "Read. One comma.")),
    says(3, 1700, GRACE, "Tag or wait for Monday?"),
    says(3, 1702, ALAN, "Monday. Nobody wants a pager on Saturday."),
    line(3, 1703, ADA, Reaction(1, "💯")),
    says(0, 905, GRACE, "4.2 is tagged. Thank you all; coffee is on me."),
    says(0, 906, MARY, "🎉☕"),
];

const CHESS: &[Line] = &[
    says(9, 1002, ALAN, "Sunday, three o’clock, the back room as usual."),
    says(9, 1010, GRACE, "I bring the clock that ticks."),
    line(9, 1011, MARY, Answer(1, "Please bring the one that does not.")),
    says(6, 2015, ADA, "Adjourned: Kg1 Qd2 Rf1 against Kg8 Qb6 Re8. White to move."),
    says(6, 2040, ALAN, "I would take on f7 and regret it later."),
    line(6, 2043, ADA, Edit(2, "Adjourned: Kg1 Qd2 Rf1 against Kg8 Qb6 Re7. White to move.")),
    line(5, 1203, GRACE, Photo("the-position.png", 311_402)),
    says(2, 1531, MARY, "Rook to f3. There, I said it."),
    line(2, 1533, ALAN, Answer(1, "That loses a rook and wins my respect.")),
    line(2, 1601, ALAN, Text("Draw?")).key(Nowhere),
    says(2, 1602, MARY, "Never."),
];

const CHOIR: &[Line] = &[
    says(8, 1900, MARY, "Rehearsal on Thursday begins at seven, not half past."),
    says(8, 1904, GRACE, "Altos: bars 40 to 56 by heart, please."),
    line(8, 1910, ADA, Answer(1, "By heart, by ear or by accident?")),
    line(7, 2213, MARY, File("second-verse-practice.ogg", 1_902_447)),
    says(5, 801, ALAN, "I have a cold and a fine low C."),
    says(5, 803, GRACE, "Keep both warm until Thursday."),
    line(4, 1822, MARY, Deleted),
    says(1, 2215, GRACE, "That was good tonight. The last chord stood in the room like a lamp."),
    line(1, 2217, ALAN, Reaction(1, "❤️")),
    says(0, 903, MARY, "Next week the tenors sit in front."),
];

const GRACE_ALONE: &[Line] = &[
    says(11, 2101, GRACE, "Did you find the paper with the long key?"),
    says(11, 2109, ADA, "Behind the stamps, in the blue envelope."),
    says(11, 2110, GRACE, "Twelve groups of four?"),
    line(11, 2111, ADA, Answer(1, "Twelve. One of them has my coffee on it.")),
    says(4, 730, GRACE, "Morning. Library at ten?"),
    says(4, 731, ADA, "At ten, by the stairs."),
    says(1, 2230, GRACE, "Thank you for today."),
];

const PHOTO_CLUB: &[Line] = &[
    says(7, 2003, GRACE, "今週のお題は「雨上がり」です。"),
    line(7, 2130, ALAN, Photo("雨上がり-01.jpg", 4_508_117)),
    says(7, 2131, ALAN, "橋の上から撮りました。"),
    line(7, 2140, GRACE, Answer(1, "光がきれいですね！")),
    says(2, 1915, MARY, "次は「影」にしませんか。"),
];

const READING_CLUB: &[Line] = &[
    says(6, 1802, MARY, "نبدأ الفصل الثالث يوم الأحد."),
    says(6, 1810, ADA, "قرأت نصفه فقط 📖"),
    line(6, 1811, MARY, Answer(1, "النصف الأول أم الثاني؟")),
    says(2, 2001, GRACE, "المكان: المقهى القديم، السابعة مساءً."),
];

const WEDDING: &[Line] = &[
    says(1_231, 1105, GRACE, "The band wants to know whether there is a stage."),
    says(1_231, 1112, MARY, "There is a hay cart. It has held heavier music."),
    line(1_229, 1630, ALAN, Photo("hay-cart.jpg", 1_744_020)),
    says(1_218, 2358, ADA, "What a day. Good night, all of you."),
];

/// The conversations of the plain story.
pub(super) const PLAIN: &[Chat] = &[
    Chat { room: "Family", lines: FAMILY },
    Chat { room: "Release team", lines: RELEASE },
    Chat { room: "Chess on Sundays", lines: CHESS },
    Chat { room: "Choir", lines: CHOIR },
    Chat { room: GRACE, lines: GRACE_ALONE },
    Chat { room: "写真クラブ", lines: PHOTO_CLUB },
    Chat { room: "نادي القراءة", lines: READING_CLUB },
    Chat { room: "Wedding 2023", lines: WEDDING },
];
