//! The rooms of the stories: names in many scripts, uneven sizes, every kind of membership.

use super::account::{
    Membership::{self, Forgotten, Joined, Left},
    Person,
};

/// What a room of a story is to be.
pub(super) struct RoomPlan {
    /// What `m.room.name` says.
    pub(super) name: Option<&'static str>,
    /// How many entries the current version holds of it.
    pub(super) keys: u32,
    /// How many sessions only the older version holds; with none, that version lacks the room.
    pub(super) older: u32,
    /// How many of 100 keys start late.
    pub(super) late: u32,
    /// How the account stands to it.
    pub(super) membership: Membership,
    /// Whether its id is of room version 12, without a server part.
    pub(super) version_12: bool,
    /// The server in its id, if not the account's own.
    pub(super) server: Option<&'static str>,
    /// The other person, if `m.direct` lists it.
    pub(super) direct: Option<&'static str>,
    /// What `m.room.canonical_alias` says.
    pub(super) alias: Option<&'static str>,
    /// The ids of those in it besides the account.
    pub(super) people: &'static [&'static str],
}

/// What the people of the story want to be called.
const PEOPLE: [(&str, &str); 6] = [
    ("@grace:example.org", "Grace"),
    ("@alan:example.net", "Alan"),
    ("@hedwig:example.com", "Hedwig"),
    ("@mary:example.org", "Mary"),
    ("@emmy:example.org", "Emmy 🧮"),
    ("@srinivasa:example.net", "சீனிவாசன்"),
];

/// Who is in rooms with names.
const NEIGHBOURS: &[&str] = &["@grace:example.org", "@alan:example.net", "@mary:example.org"];

/// A joined room with a name on the account's own server.
const fn named(name: &'static str, keys: u32, late: u32) -> RoomPlan {
    RoomPlan { name: Some(name), people: NEIGHBOURS, ..unnamed(keys, late) }
}

const fn unnamed(keys: u32, late: u32) -> RoomPlan {
    RoomPlan {
        name: None,
        keys,
        older: 0,
        late,
        membership: Joined,
        version_12: false,
        server: None,
        direct: None,
        alias: None,
        people: &[],
    }
}

const fn direct(person: &'static [&'static str; 1], keys: u32, late: u32) -> RoomPlan {
    let [other] = person;
    RoomPlan { direct: Some(other), people: person, ..unnamed(keys, late) }
}

impl RoomPlan {
    const fn older(self, older: u32) -> Self {
        Self { older, ..self }
    }

    const fn version_12(self) -> Self {
        Self { version_12: true, ..self }
    }

    const fn alias(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    const fn people(self, people: &'static [&'static str]) -> Self {
        Self { people, ..self }
    }

    const fn at(self, server: &'static str) -> Self {
        Self { server: Some(server), ..self }
    }

    const fn membership(self, membership: Membership) -> Self {
        Self { membership, ..self }
    }

    /// Its people, with what they want to be called.
    pub(super) fn neighbours(&self) -> Vec<Person> {
        let called =
            |id: &str| PEOPLE.iter().find(|(known, _)| *known == id).map(|(_, name)| *name);
        let person = |id: &&str| Person {
            user_id: (*id).to_owned(),
            display_name: called(id).unwrap_or_default().to_owned(),
        };
        self.people.iter().map(person).collect()
    }
}

/// The rooms of the plain story.
pub(super) const PLAIN: [RoomPlan; 42] = [
    named("Family", 1_204, 2).older(60),
    named("Release team", 640, 8).older(30),
    named("Chess on Sundays", 411, 1).older(22),
    unnamed(384, 0).version_12().people(&[
        "@grace:example.org",
        "@alan:example.net",
        "@hedwig:example.com",
        "@mary:example.org",
        "@emmy:example.org",
        "@srinivasa:example.net",
    ]),
    named("写真クラブ", 302, 3).older(18),
    named("Neighbours 14b", 277, 15).older(20),
    named("Book circle 🐢", 240, 0).version_12(),
    unnamed(183, 5).older(12).alias("#attic:example.org").membership(Left),
    named("Allotment", 168, 2).version_12(),
    named("Old phone chat", 157, 55).older(24),
    named("Wedding 2023", 141, 0).older(30).membership(Left),
    named("Choir", 135, 1).older(9),
    named("Choir", 12, 0).version_12(),
    named("Дачный посёлок", 118, 4),
    named("Φίλοι της θάλασσας", 104, 0),
    named("نادي القراءة", 97, 6).at("example.net"),
    named("ועד הבית", 88, 0).older(7),
    named("周末徒步", 83, 3).version_12(),
    named("मोहल्ला समिति", 76, 0),
    named("🎸🥁🎹", 71, 2).version_12(),
    named(
        "Everything about the big summer journey along the coast, who brings which tent, who drives, \
         where we sleep, what we eat, and who has to tell grandmother that the dog comes too",
        66,
        0,
    ),
    named("“Notes to self”", 64, 0),
    direct(&["@grace:example.org"], 60, 10).older(14),
    direct(&["@alan:example.net"], 47, 0),
    direct(&["@hedwig:example.com"], 31, 0).version_12(),
    direct(&["@mary:example.org"], 19, 20).membership(Left),
    named("Bike repair", 42, 0),
    named("Flat 3", 39, 5).older(16),
    named("Support crew", 36, 0),
    named("Recipes / Rezepte / 食谱", 33, 0),
    named("Sailing", 29, 3).membership(Left),
    unnamed(24, 0).at("example.net").alias("#harbour:example.net"),
    named("Garden plans", 22, 0),
    named("Film evening", 18, 0),
    named("Local history", 15, 7).membership(Forgotten),
    named("Bakery shift", 11, 0).version_12(),
    unnamed(8, 50).membership(Forgotten),
    named("Travel 2022", 6, 0).membership(Left),
    named("Radio", 3, 0),
    named("Stage crew", 2, 100),
    named("Lost keys", 1, 0),
    named("Town notices", 0, 0).at("example.com"),
];

/// The rooms of the small stories; some of the plain one, so that there is something to read in them.
pub(super) const SMALL: [RoomPlan; 6] = [
    named("Family", 60, 2).older(12),
    named("Release team", 40, 8).older(8),
    named("Choir", 24, 0).version_12().older(4),
    direct(&["@grace:example.org"], 20, 10).older(5),
    named("Wedding 2023", 12, 0).membership(Left).older(6),
    unnamed(8, 0).membership(Forgotten),
];

/// Names that test whoever shows them.
pub(super) const SCRIPTS: [RoomPlan; 24] = [
    named("نادي القراءة", 8, 0),
    named("ועד הבית", 8, 0),
    named("ห้องสมุดริมน้ำ", 8, 0),
    named("मोहल्ला समिति की क्षेत्रीय बैठक", 8, 0),
    named("写真クラブ", 8, 0),
    named("周末徒步", 8, 0),
    named("동네 산책 모임", 8, 0),
    named("👩‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚒", 8, 0),
    named("Дачный посёлок", 8, 0),
    named("Φίλοι της θάλασσας", 8, 0),
    named("சமையல் குழு", 8, 0),
    named("বইয়ের আড্ডা", 8, 0),
    named("Բարեւ", 8, 0),
    named("ẞtraße İıŞş ǆ", 8, 0),
    named("قائمة 2026 and שלום together", 8, 0),
    named("ｆｕｌｌ ｗｉｄｔｈ", 8, 0),
    named(
        "A very long name that goes on and on, past the edge of every screen, because somebody thought \
         that the name of a room is the right place for its rules, its history, the names of all who \
         ever were in it, what they had for lunch, and who still has the key to the cellar",
        8,
        0,
    ),
    named("\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}bell", 8, 0),
    named("left \u{202e}thgir\u{202c} \u{2066}held\u{2069}", 8, 0),
    named(
        "flood Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}\u{30b}\u{30c}\u{30d}\u{30e}\u{30f}\u{310}\u{311}\u{312}algo",
        8,
        0,
    ),
    named("two\nlines\r\tand\u{0}nothing", 8, 0),
    named("zero\u{200b}width\u{feff}\u{e0041}tags", 8, 0),
    named("   ", 8, 0),
    named("", 8, 0).alias("#quiet:example.org"),
];
