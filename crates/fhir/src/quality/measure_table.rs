//! What common laboratory values and vital signs can be, by LOINC code.
//!
//! *Possible* is what a living person was ever seen with, at any age, widened; *plausible* is what a ward sees. Both are wide
//! on purpose: a rule that cries at every sick patient is switched off. Ranges are in the first unit.

/// A unit and how to get from it to the measure's first: `value * factor + offset`.
pub(super) struct Unit {
    /// UCUM code.
    pub code: &'static str,
    /// How else it is written, in the form of [`super::measures::spelling`].
    pub aliases: &'static [&'static str],
    pub factor: f64,
    pub offset: f64,
}

pub(super) struct Measure {
    pub name: &'static str,
    pub loinc: &'static [&'static str],
    /// The usual ones first.
    pub units: &'static [Unit],
    pub possible: (f64, f64),
    pub plausible: (f64, f64),
}

const fn unit(code: &'static str, aliases: &'static [&'static str], factor: f64) -> Unit {
    Unit { code, aliases, factor, offset: 0.0 }
}

const PER_MINUTE: &[Unit] = &[unit(
    "/min",
    &[
        "bpm",
        "beats/min",
        "beats/minute",
        "{beats}/min",
        "{breaths}/min",
        "breaths/min",
        "breaths/minute",
        "次/分",
        "次/min",
        "1/min",
        "{beats}/minute",
    ],
    1.0,
)];
const CELLS: &[Unit] = &[
    unit(
        "10*9/L",
        &[
            "10*3/ul",
            "10*3/mm3",
            "k/ul",
            "k/mm3",
            "g/l",
            "10e9/l",
            "10e3/ul",
            "10*9/l",
            "thou/ul",
            "thousand/ul",
            "[10*3]/ul",
            "th/mm3",
            "10*3/mcl",
            "k/mcl",
        ],
        1.0,
    ),
    unit("/uL", &["/mm3", "{cells}/ul", "cells/ul", "cells/mcl", "/cmm"], 0.001),
    unit("/L", &[], 1e-9),
    unit("10*6/L", &["10e6/l"], 0.001),
];
const MILLIMOLES: &[Unit] = &[unit("mmol/L", &["meq/l", "mval/l"], 1.0)];
const PRESSURE: &[Unit] =
    &[unit("mm[Hg]", &["mmhg", "torr", "毫米汞柱"], 1.0), unit("kPa", &["kpa"], 7.500_62)];
const CHOLESTEROL: &[Unit] =
    &[unit("mmol/L", &[], 1.0), unit("mg/dL", &["mg%"], 1.0 / 38.67), unit("g/L", &[], 1.0 / 0.3867)];
const LENGTH: &[Unit] = &[
    unit("cm", &["厘米", "centimeter"], 1.0),
    unit("m", &["米"], 100.0),
    unit("[in_i]", &["in", "inch", "inches", "[in_us]", "\""], 2.54),
    unit("mm", &[], 0.1),
    unit("[ft_i]", &["ft", "feet"], 30.48),
];
const MASS: &[Unit] = &[
    unit("kg", &["kilogram", "公斤", "千克"], 1.0),
    unit("g", &["gram", "克"], 0.001),
    unit("[lb_av]", &["lb", "lbs", "pound", "pounds", "[lb_us]"], 0.453_592),
    unit("[oz_av]", &["oz", "ounce"], 0.028_35),
];

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        name: "glucose",
        loinc: &[
            "2345-7", "2339-0", "15074-8", "14749-6", "41653-7", "1558-6", "2340-8", "14771-0", "1521-4",
            "76629-5", "14743-9", "27353-2",
        ],
        units: &[unit("mmol/L", &[], 1.0), unit("mg/dL", &["mg%"], 1.0 / 18.016), unit("g/L", &[], 5.5506)],
        possible: (0.05, 170.0),
        plausible: (0.9, 60.0),
    },
    Measure {
        name: "HbA1c",
        loinc: &["4548-4", "17856-6", "4549-2", "59261-8", "71875-9", "17855-8"],
        units: &[
            unit("%", &["%{hemoglobin}", "%{hb}", "%ngsp"], 1.0),
            Unit { code: "mmol/mol", aliases: &[], factor: 0.091_48, offset: 2.152 },
            unit("1", &["{ratio}"], 100.0),
        ],
        possible: (2.0, 30.0),
        plausible: (2.5, 20.0),
    },
    Measure {
        name: "creatinine",
        loinc: &["2160-0", "38483-4", "14682-9", "77140-2"],
        units: &[
            unit("umol/L", &["mcmol/l"], 1.0),
            unit("mg/dL", &["mg%"], 88.42),
            unit("mg/L", &[], 8.842),
            unit("mmol/L", &[], 1000.0),
        ],
        possible: (0.5, 8000.0),
        plausible: (8.0, 3000.0),
    },
    Measure {
        name: "potassium",
        loinc: &["2823-3", "6298-4", "77142-8", "75940-7"],
        units: MILLIMOLES,
        possible: (0.5, 20.0),
        plausible: (1.2, 10.0),
    },
    Measure {
        name: "sodium",
        loinc: &["2951-2", "2947-0", "77139-4"],
        units: MILLIMOLES,
        possible: (60.0, 260.0),
        plausible: (95.0, 200.0),
    },
    Measure {
        name: "chloride",
        loinc: &["2075-0", "2069-3", "77138-6"],
        units: MILLIMOLES,
        possible: (30.0, 250.0),
        plausible: (50.0, 160.0),
    },
    Measure {
        name: "calcium",
        loinc: &["17861-6", "49765-1", "2000-8", "29265-6"],
        units: &[
            unit("mmol/L", &[], 1.0),
            unit("mg/dL", &["mg%"], 0.2495),
            unit("meq/L", &[], 0.5),
            unit("mg/L", &[], 0.024_95),
        ],
        possible: (0.3, 10.0),
        plausible: (0.9, 5.5),
    },
    Measure {
        name: "haemoglobin",
        loinc: &["718-7", "20509-6", "30313-1", "30350-3", "59260-0", "30351-1"],
        units: &[
            unit("g/L", &["克/升"], 1.0),
            unit("g/dL", &["g%", "gm/dl"], 10.0),
            unit("mmol/L", &[], 16.114),
        ],
        possible: (3.0, 320.0),
        plausible: (20.0, 260.0),
    },
    Measure {
        name: "platelets",
        loinc: &["777-3", "26515-7", "778-1", "49497-1"],
        units: CELLS,
        possible: (0.0, 15_000.0),
        plausible: (0.5, 4000.0),
    },
    Measure {
        name: "leukocytes",
        loinc: &["6690-2", "26464-8", "804-5", "49498-9"],
        units: CELLS,
        possible: (0.0, 2500.0),
        plausible: (0.05, 800.0),
    },
    Measure {
        name: "cholesterol",
        loinc: &["2093-3", "14647-2"],
        units: CHOLESTEROL,
        possible: (0.05, 80.0),
        plausible: (0.6, 35.0),
    },
    Measure {
        name: "HDL cholesterol",
        loinc: &["2085-9", "14646-4"],
        units: CHOLESTEROL,
        possible: (0.0, 30.0),
        plausible: (0.05, 6.5),
    },
    Measure {
        name: "LDL cholesterol",
        loinc: &["18262-6", "13457-7", "2089-1", "22748-8"],
        units: CHOLESTEROL,
        possible: (0.0, 60.0),
        plausible: (0.05, 30.0),
    },
    Measure {
        name: "triglycerides",
        loinc: &["2571-8", "14927-8"],
        units: &[
            unit("mmol/L", &[], 1.0),
            unit("mg/dL", &["mg%"], 1.0 / 88.57),
            unit("g/L", &[], 1.0 / 0.8857),
        ],
        possible: (0.01, 400.0),
        plausible: (0.1, 130.0),
    },
    Measure {
        name: "albumin",
        loinc: &["1751-7"],
        units: &[unit("g/L", &[], 1.0), unit("g/dL", &["gm/dl", "g%"], 10.0), unit("umol/L", &[], 0.0665)],
        possible: (1.0, 120.0),
        plausible: (7.0, 80.0),
    },
    Measure {
        name: "bilirubin",
        loinc: &["1975-2", "14631-6"],
        units: &[unit("umol/L", &["mcmol/l"], 1.0), unit("mg/dL", &["mg%"], 17.1), unit("mg/L", &[], 1.71)],
        possible: (0.0, 2000.0),
        plausible: (0.2, 1300.0),
    },
    Measure {
        name: "body temperature",
        loinc: &["8310-5", "8331-1", "8332-9", "8329-5", "8328-7", "8333-7"],
        units: &[
            unit("Cel", &["c", "degc", "°c", "℃", "celsius", "degreescelsius", "摄氏度"], 1.0),
            Unit {
                code: "[degF]",
                aliases: &["f", "degf", "°f", "℉", "fahrenheit", "degreesfahrenheit"],
                factor: 1.0 / 1.8,
                offset: -32.0 / 1.8,
            },
            Unit { code: "K", aliases: &["kelvin"], factor: 1.0, offset: -273.15 },
        ],
        possible: (9.0, 48.0),
        plausible: (28.0, 43.5),
    },
    Measure {
        name: "heart rate",
        loinc: &["8867-4", "8889-8", "8893-0", "68999-2", "40443-4"],
        units: PER_MINUTE,
        possible: (0.0, 600.0),
        plausible: (15.0, 320.0),
    },
    Measure {
        name: "respiratory rate",
        loinc: &["9279-1", "76270-8"],
        units: PER_MINUTE,
        possible: (0.0, 250.0),
        plausible: (2.0, 120.0),
    },
    Measure {
        name: "oxygen saturation",
        loinc: &["2708-6", "59408-5", "20564-1", "59417-6"],
        units: &[
            unit("%", &["percent", "%{saturation}", "%o2"], 1.0),
            unit("1", &["{ratio}", "{fraction}"], 100.0),
        ],
        possible: (0.0, 100.5),
        plausible: (30.0, 100.5),
    },
    Measure {
        name: "body weight",
        loinc: &["29463-7", "3141-9", "3142-7", "8335-2"],
        units: MASS,
        possible: (0.15, 750.0),
        plausible: (0.3, 400.0),
    },
    Measure {
        name: "birth weight",
        loinc: &["8339-4"],
        units: MASS,
        possible: (0.1, 15.0),
        plausible: (0.2, 8.0),
    },
    Measure {
        name: "body height",
        loinc: &["8302-2", "3137-7", "8306-3", "8301-4", "8308-9"],
        units: LENGTH,
        possible: (10.0, 285.0),
        plausible: (20.0, 245.0),
    },
    Measure {
        name: "head circumference",
        loinc: &["9843-4", "8287-5"],
        units: LENGTH,
        possible: (5.0, 120.0),
        plausible: (10.0, 80.0),
    },
    Measure {
        name: "BMI",
        loinc: &["39156-5", "59574-4"],
        units: &[unit("kg/m2", &["kg/m*2"], 1.0)],
        possible: (2.0, 260.0),
        plausible: (6.0, 110.0),
    },
    Measure {
        name: "systolic blood pressure",
        loinc: &["8480-6", "8459-0", "8460-8", "8461-6", "8479-8", "76534-7"],
        units: PRESSURE,
        possible: (0.0, 450.0),
        plausible: (35.0, 320.0),
    },
    Measure {
        name: "diastolic blood pressure",
        loinc: &["8462-4", "8453-3", "8454-1", "8455-8", "76535-4"],
        units: PRESSURE,
        possible: (0.0, 400.0),
        plausible: (10.0, 220.0),
    },
    Measure {
        name: "mean blood pressure",
        loinc: &["8478-0", "76536-2"],
        units: PRESSURE,
        possible: (0.0, 420.0),
        plausible: (15.0, 270.0),
    },
];
