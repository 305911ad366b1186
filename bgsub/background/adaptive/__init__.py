"""The adaptive mixture: the equations of `bgsub.BackgroundSubtractor`, and what their letters are called in the code.

A pixel x has luma Y and chroma Cr and Cb, in the light of the background (`light`); a grey one has Y only. It has up to
K Gaussians ("modes"), heaviest first, each with a weight w, a mean mu and two variances: v_y of the luma, v_c of both
chroma, which are far steadier. The squared Mahalanobis distance of a mode is::

    D = A ((Y - mu_y)^2 / v_y + ((Cr - mu_r)^2 + (Cb - mu_b)^2) / v_c)

The acuity A is 1 but in fog, which brings all differences down, also those that make a background unsteady and that
``var_min_y`` allows for. Fog shows by the contrast C of the view, 1 - dark / bright. The noise of the camera stays: of
its variance n, measured over the view, m_n times as much must be allowed for still::

    A = max(1, min((C_0 / C)^4, var_min_y / (m_n n), A_max))

Where the light of the frame is another one, a clipped channel is a bound and no value (`colour`).

**Evidence** is S, the log-odds that the pixel is foreground. A Gaussian background against a foreground of unknown
colour gives D / 2 - c (Bayes' rule); a mode that is seldom seen is a poor explanation, which a prior that falls
linearly with its weight expresses::

    S = min over the modes with w > w_0 of   D / 2 - c + c_w max(0, 1 - (w - w_0) / (w_1 - w_0))

Modes lighter than the first one with D < m, the *owner* of the pixel, are not asked. There is never more than S_max.
A cast shadow dims a background mode, r = Y / max(mu_y, 1), and keeps its hue (`shadows`). It is even, u = 0, where the
same number dims all around (`evenness`), and as dark as the scene's other shadows, t (`tone`). For a mode with w > w_0
and tau_e + (tau - tau_e) u < r < 1::

    S <- min(S, A |chroma - r mu_chroma|^2 / (2 s v_c) + c_s - c
                - c_e (1 - u) clip((r - tau_e) / (tau - tau_e), 0, 1) + c_t clip((t - r) / m_t - 1, 0, 1))

In places where the background flickers (f, averaged over a neighbourhood), more is asked for::

    L = max(S - kappa max(0, f - f_0), S_min)

and L is kept as a byte, `ZERO_BYTE` + `STEPS` L, which is what the spatial part of the model smooths and thresholds.
Where f is high, background that moved from up to `neighbour_radius` pixels beside is an explanation too, at c_n
more (`neighbourhood`); what was explained as a shadow but stands above foreground gets evidence back (`standing`)::

    L <- L + g (q - q_0)

and in the first frames ground is told from what stood on it in the first one (`vacated`).

**Learning** comes after the mask is known: incremental EM (Zivkovic 2004, equations 4 to 6), at a rate of the pixel::

    a = a_fast   where an object has gone, and the ground that is seen again is no news (a ghost in the mask)
        a_slow   where the mask has an object and f < f_r
        alpha    elsewhere
    w <- (1 - a) w + a o;   r = min(1, a / w);   mu <- mu + r (x - mu)
    v_y <- v_y + r ((Y - mu_y)^2 - v_y);   v_c <- v_c + r (((Cr - mu_r)^2 + (Cb - mu_b)^2) / 2 - v_c)

where o is 1 for the owner and 0 for the others, and the differences are those before mu moves; v_c is the mean over two
chroma, hence the half. Without an owner a mode of weight a starts at x with the variances `var_init_y` and
`var_init_c`, in a free place or in that of the lightest. Variances are kept from `var_min_y` and `var_min_c` up to
``var_max (1 + var_stretch f)``: a wide mode would swallow the objects that pass, but leaves need one. Flicker is the
running share of frames in which the evidence of a pixel changes sign though no larger object comes, goes or stands
there::

    f_pixel <- f_pixel + b (1 or 0 - f_pixel)

=========  =================================================  ==================  ======================================
letter     parameter                                          unit                meaning
=========  =================================================  ==================  ======================================
c          `threshold`                                        log-odds            evidence that makes a pixel foreground
c_w        `weight_doubt`                                     log-odds            doubt of a mode of weight w_0
w_0        `low_weight`, raised by `early_doubt` at first     weight, 0 to 1      up to it a mode is no background
w_1 - w_0  `weight_span`                                      weight              above w_0, in which doubt ends
m          `match_distance`                                   squared deviations  distance within which a mode owns
C_0        `low_contrast`                                     share of bright     contrast from which on A is 1
m_n        `noise_margin`                                     factor              of the noise to be allowed for
A_max      the constant `_KEENEST`                            factor              the most acuity: 8
tau        `shadow_threshold`                                 share of mu_y       darkest shadow
s          `shadow_spread`                                    share of v_c        variance of a shadow's chroma
c_s        `shadow_doubt`                                     log-odds            doubt of any shadow
c_e        `even_credit`                                      log-odds            credit of an even shadow
tau_e      `even_depth` times tau                             share of mu_y       darkest even shadow
u          `even_spread` to `uneven_spread`                   0 to 1              how unevenly a place is dimmed
c_t        `tone_doubt`, by how sure t is                     log-odds            doubt of shadows darker than others
m_t        `tone_margin`                                      share of mu_y       by how much they are darker
g, q_0     `standing_gain`, `standing_share`                  log-odds, share     foreground below a pixel, q
c_n        `neighbour_doubt`                                  log-odds            doubt of moved background
kappa      `flicker_doubt`                                    log-odds            evidence asked for where all flickers
f_0        `flicker_still` to `flicker_lively`, `dead_zone`   share of frames     flicker for which nothing is asked
f_r        `restless`                                         share of frames     from it on objects are learned fully
b          `flicker_rate`                                     1 a frame           learning rate of the flicker
alpha      `history`, or what the caller asks for             1 a frame           learning rate
a_slow     `absorption_time`, `taper`; `slow`                 1 a frame           that of objects, by the seconds
a_fast     `ghost_rate`; `fast`                               1 a frame           that of ghosts
S_max      the constant `CERTAIN`                             log-odds            what a byte can hold: 11.875
S_min      the constant `LEAST`                               log-odds            what a byte can hold: -20
=========  =================================================  ==================  ======================================

The constants of a frame (`step`) have these names of the parameters; those made of several say of which.
"""
