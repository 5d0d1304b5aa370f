//! What stands where, for any size of the window. One function serves drawing, the mouse and paging.
//!
//! What goes first when space is short, in this order (SCREENS §1): the detail pane, the command, the
//! frame, the names on the rail, columns that only inform, the fact.

use ratatui::layout::{Rect, Size};

/// From this width on a second frame stands at the right.
const TWO_FRAMES: u16 = 110;
/// Cells of the second frame.
const SIDE: u16 = 44;
/// Below this size only a friendly line is drawn.
pub const SMALLEST: Size = Size { width: 40, height: 12 };

/// Where the parts of a screen are; what there is no room for has no place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Regions {
    /// The whole window.
    pub whole: Rect,
    /// Who, and what happens to the server; or the step, where there is no rail.
    pub head: Rect,
    /// The steps.
    pub rail: Option<Rect>,
    /// The frame around the body.
    pub frame: Option<Rect>,
    /// The body.
    pub body: Rect,
    /// The second frame.
    pub side: Option<Rect>,
    /// The fact.
    pub fact: Option<Rect>,
    /// What to do next.
    pub next: Rect,
    /// The keys that matter.
    pub hints: Rect,
    /// The command that does the same.
    pub command: Option<Rect>,
}

impl Regions {
    /// Says whether columns that only inform and long sentences have room.
    pub fn is_roomy(&self) -> bool {
        self.frame.is_some() && self.whole.width >= 72
    }

    /// Rows of the body.
    pub fn rows(&self) -> usize {
        usize::from(self.body.height)
    }

    /// Cells of a row of the body.
    pub fn cells(&self) -> usize {
        usize::from(self.body.width)
    }
}

/// Lays a window out; `None` where it is too small for anything but a friendly line.
pub fn layout(size: Size) -> Option<Regions> {
    let Size { width, height } = size;
    if width < SMALLEST.width || height < SMALLEST.height {
        return None;
    }
    let framed = height >= 18 && width >= 60;
    let rail = height >= 18 && width >= 80;
    let command = height >= 20 && width >= 60;
    let side = framed && width >= TWO_FRAMES;
    let row = |y| Rect::new(0, y, width, 1);
    let top = 1 + u16::from(rail);
    let below = 3 + u16::from(command);
    let middle = height - top - below;
    let main = if side { width - SIDE } else { width };
    let frame = framed.then(|| Rect::new(0, top, main, middle));
    let body = if framed {
        // One cell of air inside of the frame.
        Rect::new(2, top + 1, main - 4, middle - 2)
    } else {
        Rect::new(1, top, width - 2, middle)
    };
    Some(Regions {
        whole: Rect::new(0, 0, width, height),
        head: row(0),
        rail: rail.then(|| row(1)),
        frame,
        body,
        side: side.then(|| Rect::new(main, top, SIDE, middle)),
        fact: Some(row(top + middle)),
        next: row(top + middle + 1),
        hints: row(top + middle + 2),
        command: command.then(|| row(height - 1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_inside_and_none_covers_another() {
        for width in 0..260 {
            for height in 0..80 {
                let Some(regions) = layout(Size { width, height }) else {
                    assert!(width < 40 || height < 12);
                    continue;
                };
                let Regions { head, rail, frame, body, side, fact, next, hints, command, .. } =
                    regions;
                let parts = [Some(head), rail, frame.or(Some(body)), side, fact];
                let parts = parts.into_iter().chain([Some(next), Some(hints), command]).flatten();
                let area: u32 = parts.clone().map(Rect::area).sum();
                assert_eq!(
                    area + u32::from(height) * 2 * u32::from(frame.is_none()) - uncounted(&regions),
                    u32::from(width) * u32::from(height)
                );
                assert!(parts.clone().all(|part| regions.whole.union(part) == regions.whole));
                assert!(body.height >= 4 && body.width >= 36);
            }
        }
    }

    /// The margin cells of a body without a frame, beyond those of the body's own rows.
    fn uncounted(regions: &Regions) -> u32 {
        if regions.frame.is_some() {
            return 0;
        }
        let all = u32::from(regions.whole.height) * 2;
        all - u32::from(regions.body.height) * 2
    }

    #[test]
    fn parts_go_in_the_order_that_screens_promise() {
        let at = |width, height| layout(Size { width, height }).unwrap();
        assert!(at(120, 40).side.is_some());
        let usual = at(80, 24);
        assert_eq!((usual.side, usual.body), (None, Rect::new(2, 3, 76, 16)));
        assert_eq!(usual.command, Some(Rect::new(0, 23, 80, 1)));
        let lower = at(80, 18);
        assert_eq!(
            (lower.command, lower.frame.is_some(), lower.rail.is_some()),
            (None, true, true)
        );
        let small = at(40, 12);
        assert_eq!((small.frame, small.rail, small.body), (None, None, Rect::new(1, 1, 38, 8)));
    }
}
