"""The batch model: Gaussian mixtures fitted by EM, scikit-learn's interface, compiled passes over the rows.

==================  ================================================================================
`estimator`         `GaussianMixture`: checks, one fit, and what a fitted model is asked
`fitting`           one fit, from rows and options to a mixture: what estimator, selection and tables stand on
`selection`         `select`: how many components, of which covariance type
`comparison`        what it stands on: fits of several combinations, and the best of them
`fitted`            a mixture whose parameters are known, without scikit-learn: the door to apply one
`parameters`        the parameters as plain arrays, their shapes, and what keeps arrays from being some
`em`                from rows and a start to the parameters of greatest likelihood
`passes`            one pass over the rows: its sums, and who makes them
`kernels`           the compiled loops
`criteria`          how well the estimator explains rows, in one number
`conditioning`      mixtures of some features, and of some given others
`imputation`        gaps filled in: by what a mixture expects of them, or by draws
`given_parameters`  those that somebody knows, checked
`column_names`      of data frames and Arrow's tables
`noise`             where rows lie that belong to no component
`diagnosis`         what is doubtful about covariances, in words
`eligibility`       which of the combinations that were compared may be the best
`few_values`        columns of counts and grades
`gaussianity`       are the components Gaussian? A test of the residuals of each
`input_checks`      rows, weights and names, or one line that says what is wrong with them
`model_files`       saved mixtures
`outlier_files`     what they hold of noise
`scikit_learn`      what the estimator owes to scikit-learn
==================  ================================================================================

A fit goes from `GaussianMixture.fit` to `fitting.fit`, its starts, the loop, and a pass of kernels. Only `estimator`,
`partly_known` and `scikit_learn` import scikit-learn.
"""
